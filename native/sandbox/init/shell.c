/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/shell.h"

#include "sandbox/client/client.h"
#include "sandbox/client/say.h"
#include "common/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define SHELL "/bin/sh"

enum {
	EXIT_CANNOT_RUN = 127,
	CLOSE_ON_EXEC = 4, /* close_range(2)'s CLOSE_RANGE_CLOEXEC */
};

/* In the child, with every signal still blocked: a process in the background may take the terminal then. */
static _Noreturn void become_shell(const char *point)
{
	char prompt[sizeof "dkvm # " + CLIENT_MAX_POINT];

	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	syscall(SYS_close_range, 3U, ~0U, CLOSE_ON_EXEC);
	signals_reset(0);
	strcpy(stpcpy(stpcpy(prompt, "dkvm "), point), "# ");
	setenv("PS1", prompt, 1);
	setenv("TERM", "xterm", 1); /* as Docker has it */
	setenv("HOME", "/tmp", 1);
	say("a shell in the sandbox, at \"", point, "\" of the launch; exit or Ctrl-D goes on", NULL);
	execl(SHELL, "sh", (char *)NULL);
	say("cannot run \"", SHELL, "\": ", reason(errno), NULL);
	_exit(EXIT_CANNOT_RUN);
}

pid_t shell_start(struct rawmode *mode, const char *point)
{
	rawmode_leave(mode);
	pid_t pid = fork();

	if (pid == 0)
		become_shell(point);
	if (pid > 0)
		return pid;
	int error = -errno;

	rawmode_enter(mode, STDIN_FILENO);
	return error;
}

void shell_ended(struct rawmode *mode)
{
	tcsetpgrp(STDIN_FILENO, getpgrp());
	tcsetattr(STDIN_FILENO, TCSANOW, &mode->saved);
	rawmode_enter(mode, STDIN_FILENO);
}
