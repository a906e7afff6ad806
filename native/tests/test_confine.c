/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter takes from a process, and what it leaves. */
#include "common/confine.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The calls are made in a child, which passes on what CHECK found there. */
static void confined(int (*confine)(void), void (*body)(void))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(confine() == 0);
		body();
		fflush(stdout);
		/* itself: the sanitizer has more to do before _exit(2) than a filter may let it */
		syscall(SYS_exit_group, test_holds ? 0 : 1);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static bool refused(long result)
{
	return result == -1 && errno == EPERM;
}

static void netlink(void)
{
	CHECK(refused(socket(AF_NETLINK, SOCK_RAW, 0)));
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(other >= 0);
	close(other);
}

static void owners(void)
{
	int pair[2], group = -1;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	int other = getppid();
	struct f_owner_ex owner = {F_OWNER_PID, other};

	CHECK(refused(fcntl(pair[0], F_SETOWN, other)));
	CHECK(refused(fcntl(pair[0], F_SETOWN_EX, &owner)));
	CHECK(refused(fcntl(pair[0], F_SETSIG, SIGKILL)));
	CHECK(refused(ioctl(pair[0], FIOSETOWN, &other)));
	CHECK(refused(ioctl(pair[0], SIOCSPGRP, &other)));
	/* the kernel takes the lower half */
	CHECK(refused(syscall(SYS_fcntl, pair[0], 0x100000000L | F_SETOWN, other)));
	CHECK(refused(syscall(SYS_ioctl, pair[0], 0x100000000L | SIOCSPGRP, &other)));
	CHECK(ioctl(pair[0], SIOCGPGRP, &group) == 0 && group == 0);
	CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	close(pair[0]);
	close(pair[1]);
}

static void limits(void)
{
	struct rlimit limit;

	CHECK(refused(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, &limit)));
	CHECK(refused(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &limit)));
	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && setrlimit(RLIMIT_CORE, &limit) == 0);
}

static void signals(void)
{
	struct sched_param parameter = {0};
	cpu_set_t all;

	CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
	CHECK(refused(kill(getppid(), 0)));
	CHECK(refused(syscall(SYS_tgkill, getppid(), getppid(), 0)));
	CHECK(refused(sched_setaffinity(getppid(), sizeof all, &all)));
	CHECK(refused(sched_setscheduler(getppid(), SCHED_IDLE, &parameter)));
	CHECK(refused(setpriority(PRIO_USER, 0, 19)));
	CHECK(syscall(SYS_tgkill, getpid(), getpid(), 0) == 0);
}

static void only_sockets(void)
{
	CHECK(refused(open("/dev/null", O_RDONLY)) && refused(socket(AF_INET, SOCK_STREAM, 0)));
	CHECK(refused(socket(AF_INET6, SOCK_STREAM, 0)) && refused(kill(getppid(), 0)) &&
	      refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
	CHECK(refused(syscall(SYS_execve, "/bin/true", NULL, NULL)));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void no_files(void)
{
	confined(confine_to_sockets, only_sockets);
}

static void no_netlink(void)
{
	confined(confine_all, netlink);
}

static void no_owners(void)
{
	confined(confine_all, owners);
}

static void no_limits(void)
{
	confined(confine_all, limits);
}

static void no_signals(void)
{
	confined(confine_to_itself, signals);
}

int main(void)
{
	test("sockets are made, but none of netlink", no_netlink);
	test("no file has a signal sent to another", no_owners);
	test("limits are one's own", no_limits);
	test("who is confined to itself reaches no other", no_signals);
	test("who is confined to sockets opens nothing, starts nothing and connects to no network", no_files);
	return tests_end();
}
