/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/jvm.h"

#include "sandbox/client/say.h"
#include "sandbox/init/launch.h"
#include "sandbox/init/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TAIL_BYTES = 4096,
	TAIL_LINES = 20,
	WAIT_STEP = 10, /* ms */
};

int jvm_open_log(struct jvm *jvm, const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);

	jvm->log = fd;
	return fd < 0 ? -errno : 0;
}

int jvm_start(struct jvm *jvm, char **argv, int listener, const struct rights *rights)
{
	const struct launch launch = {
		.argv = argv, .environment = environ, .rights = rights, .standard = {listener, jvm->log, jvm->log}};
	struct launch_fault fault;
	pid_t pid = launch_start(&launch, &fault);

	if (pid < 0)
		return (int)pid;
	jvm->pid = pid;
	return 0;
}

bool jvm_reap(struct jvm *jvm)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == jvm->pid) {
			jvm->ended = true;
			jvm->status = status;
		} else if (pid == jvm->shell) {
			jvm->shell = 0;
		} else {
			starter_reaped(pid, status);
		}
	}
	return jvm->ended;
}

void jvm_wait(struct jvm *jvm, int milliseconds)
{
	while (!jvm_reap(jvm) && milliseconds > 0) {
		poll(NULL, 0, WAIT_STEP);
		milliseconds -= WAIT_STEP;
	}
}

/* The log may hold what a guest wrote: nothing in it shall move the reader's cursor. */
static void say_tail(int log)
{
	char tail[TAIL_BYTES];
	struct stat status;
	int lines = 0;

	if (fstat(log, &status) < 0)
		return;
	off_t from = status.st_size > TAIL_BYTES ? status.st_size - TAIL_BYTES : 0;
	ssize_t n = pread(log, tail, sizeof tail, from);

	if (n <= 0)
		return;
	size_t start = (size_t)n;

	while (start > 0 && !(start < (size_t)n && tail[start - 1] == '\n' && ++lines == TAIL_LINES))
		start--;
	for (size_t i = start; i < (size_t)n; i++)
		if (((unsigned char)tail[i] < ' ' && tail[i] != '\n' && tail[i] != '\t') || tail[i] == 127)
			tail[i] = '?';
	say_bytes(tail + start, (size_t)n - start);
	if (tail[n - 1] != '\n')
		say_bytes("\n", 1);
}

void jvm_report(const struct jvm *jvm)
{
	char number[DECIMAL_SIZE];

	if (!jvm->ended)
		say("the monitor closed the session unexpectedly", NULL);
	else if (WIFSIGNALED(jvm->status))
		say("the monitor ended unexpectedly (signal ", decimal(number, WTERMSIG(jvm->status)), ")", NULL);
	else
		say("the monitor ended unexpectedly (exit code ", decimal(number, WEXITSTATUS(jvm->status)), ")", NULL);
	say_tail(jvm->log);
}
