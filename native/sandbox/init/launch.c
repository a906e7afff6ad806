/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/launch.h"

#include "common/confine.h"
#include "common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLOSE_ON_EXEC = 4 }; /* close_range(2)'s CLOSE_RANGE_CLOEXEC */

/* Put descriptors where the program looks for them; all others close when it is executed. */
static int place(const struct launch *launch, const int *fds, const int *numbers, int count)
{
	for (int i = 0; i < 3; i++)
		if (dup2(launch->standard[i], i) < 0)
			return -errno;
	/* whatever runc, or who started us, left open */
	syscall(SYS_close_range, 3U, ~0U, CLOSE_ON_EXEC);
	for (int i = 0; i < count; i++)
		if (dup2(fds[i], numbers[i]) < 0)
			return -errno;
	return 0;
}

/* In the child. Returns only when it fails. */
static int become(const struct launch *launch, pid_t parent, struct launch_fault *fault)
{
	int fds[LAUNCH_HANDED], numbers[LAUNCH_HANDED], count = 0, r = 0;

	setsid();
	if (launch->open) {
		r = rights_use_all();
		count = r < 0 ? r : launch->open(launch->argument, fds, numbers, fault);
		if (count < 0)
			return count;
	}
	r = place(launch, fds, numbers, count);
	if (r == 0 && launch->rights)
		r = rights_take(launch->rights);
	/* last: another user forgets it */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = -errno;
	if (r == 0 && getppid() != parent)
		r = -ESRCH;
	if (r == 0 && launch->confined)
		r = confine_to_itself();
	if (r < 0)
		return r;
	if (launch->mask)
		umask(launch->mask);
	signals_reset(0);
	execve(launch->argv[0], launch->argv, launch->environment);
	return -errno;
}

pid_t launch_start(const struct launch *launch, struct launch_fault *fault)
{
	int failure[2]; /* carries the fault; closed by a successful execve */
	pid_t parent = getpid();

	memset(fault, 0, sizeof *fault);
	if (pipe2(failure, O_CLOEXEC) < 0)
		return fault->error = -errno;
	pid_t pid = fork();

	if (pid == 0) {
		fault->error = become(launch, parent, fault);
		_exit(write(failure[1], fault, sizeof *fault) == sizeof *fault ? 125 : 124);
	}
	if (pid < 0)
		fault->error = -errno;
	close(failure[1]);
	ssize_t n = pid < 0 ? 0 : read(failure[0], fault, sizeof *fault);

	close(failure[0]);
	if (pid < 0 || n != sizeof *fault)
		return pid < 0 ? fault->error : pid;
	waitpid(pid, NULL, 0);
	return fault->error;
}
