/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/reaper.h"

#include "common/files.h"
#include "guest/process/lookup.h"
#include "common/messages.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void run(char **argv, const sigset_t *mask)
{
	char program[PATH_MAX], text[64];

	setpgid(0, 0);
	/* the foreground of the terminal, where there is one; SIGTTOU is still blocked */
	tcsetpgrp(STDIN_FILENO, getpgrp());
	sigprocmask(SIG_SETMASK, mask, NULL);
	int r = lookup_program(argv[0], getenv("PATH"), program);
	if (r == 0) {
		execve(program, argv, environ);
		r = -errno;
	}
	if (r == -ESRCH)
		r = -ENOENT;
	dprintf(STDERR_FILENO, MESSAGE_INIT_EXEC, (int)getpid(), argv[0], error_text(r, text));
	_exit(r == -ENOENT ? CODE_NOT_FOUND : r == -EACCES ? CODE_NOT_EXECUTABLE : CODE_EXEC_FAILED);
}

/* Reap what has died. Returns the exit code of pid once it is among them, else -1. */
static int reap(pid_t pid)
{
	int status, code = -1;
	pid_t died;

	while ((died = waitpid(-1, &status, WNOHANG)) > 0)
		if (died == pid)
			code = WIFSIGNALED(status) ? CODE_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
	return code;
}

int reaper_run(char **argv)
{
	sigset_t all, before;
	int code = -1;

	prctl(PR_SET_NAME, "docker-init");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork();
	if (pid < 0)
		return CODE_EXEC_FAILED;
	if (pid == 0)
		run(argv, &before);
	while (code < 0) {
		siginfo_t info;
		int number = sigwaitinfo(&all, &info);
		if (number == SIGCHLD)
			code = reap(pid);
		else if (number > 0)
			kill(pid, number);
	}
	return code;
}
