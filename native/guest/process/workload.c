/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/workload.h"

#include "guest/kernel/cgroups.h"
#include "guest/setup/masks.h"
#include "guest/setup/root.h"
#include "guest/early.h"
#include "guest/process/sysinit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int first_pidfd = -1;
static pid_t first_pid;
static int own_pid_namespace = -1;
static struct container set_up;
static bool is_machine; /* its PID namespace is the agent's */

void workload_remember(const struct container *container)
{
	set_up = *container;
}

pid_t workload_fork_first(void)
{
	own_pid_namespace = openat(early.proc, "self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (own_pid_namespace < 0)
		return -errno;
	/* the child's working directory is then in its own copy of the initramfs, where no path of its root leads */
	if (fchdir(early.root) < 0)
		return -errno;
	/* as fork(2): no new stack, so the child goes on here */
	long pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	int error = errno;
	if (pid != 0 && chdir("/") < 0)
		return -errno;
	if (pid < 0)
		return -error;
	if (pid > 0)
		first_pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	first_pid = (pid_t)pid;
	return (pid_t)pid;
}

pid_t workload_fork_machine(void)
{
	pid_t pid = sysinit_fork();

	is_machine = pid >= 0;
	if (pid > 0)
		first_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	first_pid = pid;
	return pid;
}

bool workload_is_machine(void)
{
	return is_machine;
}

pid_t workload_first(void)
{
	return first_pid;
}

/*
 * The agent's children are born in the namespace that it has joined, while it stays in its own: it can wait for them
 * itself, and no process of ours is seen inside.
 */
pid_t workload_fork_exec(void)
{
	if (first_pidfd < 0)
		return -ESRCH;
	if (is_machine) {
		pid_t forked = fork();
		return forked < 0 ? -errno : forked;
	}
	if (setns(first_pidfd, CLONE_NEWPID) < 0)
		return -errno;
	pid_t pid = fork();
	int error = errno;
	if (pid == 0)
		return 0;
	setns(own_pid_namespace, CLONE_NEWPID);
	return pid < 0 ? -error : pid;
}

int workload_enter(bool first)
{
	if (!first)
		return setns(first_pidfd, CLONE_NEWNS | CLONE_NEWCGROUP) < 0 ? -errno : 0;
	if (is_machine && (fchdir(early.root) < 0 || unshare(CLONE_NEWNS) < 0))
		return -errno;
	int r = root_hide_share();
	if (r < 0)
		return r;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	r = masks_apply(&set_up);
	return r == 0 ? cgroups_hide_parent() : r;
}
