/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/forward_program.h"

#include "common/files.h"
#include "common/session_socket.h"
#include "sandbox/client/say.h"
#include "sandbox/init/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef FORWARD_PROGRAM
#define FORWARD_PROGRAM "/opt/dkvm/dkvm-forward" /* a test has another */
#endif

enum {
	FIRST = 3, /* where dkvm-keep left them: FORWARD_POLLS that listen, and what leads to them */
	HANDED = FORWARD_POLLS + 1,
	ABOVE = 100, /* all numbers that a program has */
};

static int handed[HANDED] = {-1, -1, -1};
static bool waits[FORWARD_POLLS];
static bool lost; /* something else is there */
static const char *monitor_path;
static const struct rights *forward_rights;

/* A line in the log, in one piece. */
static void put(int log, const char *what, const char *why)
{
	struct iovec parts[] = {
		{(void *)(uintptr_t)what, strlen(what)}, {(void *)(uintptr_t)why, strlen(why)}, {"\n", 1}};

	/* that there is no room any more can not be said */
	if (writev(log, parts, 3) < 0)
		return;
}

static bool listens(int fd)
{
	int yes = 0;
	socklen_t size = sizeof yes;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes;
}

void forward_find(const char *monitor, const struct rights *rights)
{
	monitor_path = monitor;
	forward_rights = rights;
	/* without IPv6 the second is none */
	if (!listens(FIRST)) {
		lost = fcntl(FIRST, F_GETFD) >= 0;
		return;
	}
	for (int i = 0; i < HANDED; i++) {
		handed[i] = FIRST + i;
		fcntl(handed[i], F_SETFD, FD_CLOEXEC);
	}
	for (int i = 0; i < FORWARD_POLLS; i++)
		waits[i] = listens(handed[i]);
}

void forward_tell(int log)
{
	if (lost)
		put(log, "0 localhost of the pod can not be reached from the host (kubectl port-forward): ",
		    "what that takes was lost on the way into the sandbox");
}

void forward_polls(struct pollfd *polls, bool now)
{
	for (int i = 0; i < FORWARD_POLLS; i++)
		polls[i] = (struct pollfd){now && waits[i] ? handed[i] : -1, POLLIN, 0};
}

static int open_all(void *argument, int fds[static LAUNCH_HANDED], int numbers[static LAUNCH_HANDED],
		    struct launch_fault *fault)
{
	int count = 0, monitor = session_socket_connect(monitor_path, 0);

	(void)argument;
	(void)fault;
	if (monitor < 0)
		return monitor;
	for (int i = 0; i <= HANDED; i++, count++) {
		fds[i] = fcntl(i == 0 ? monitor : handed[i - 1], F_DUPFD_CLOEXEC, ABOVE);
		numbers[i] = FIRST + i;
		if (fds[i] < 0)
			return -errno;
	}
	return count;
}

void forward_ready(const struct pollfd *polls, int log)
{
	char *const argv[] = {FORWARD_PROGRAM, NULL};
	struct launch_fault fault;

	if (!polls[0].revents && !polls[1].revents)
		return;
	auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct launch launch = {.argv = argv,
				      .environment = environ,
				      .rights = forward_rights,
				      .confined = true,
				      .standard = {null, log, log},
				      .open = open_all};
	pid_t pid = launch_start(&launch, &fault);

	if (pid < 0)
		put(log, "dkvm-forward can not be started: ", reason((int)pid));
	/* it has them, or nobody: who connects then is refused */
	for (int i = 0; i < HANDED; i++)
		close_clear(&handed[i]);
	memset(waits, 0, sizeof waits);
}
