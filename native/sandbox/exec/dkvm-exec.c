/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-exec: what runc starts in the sandbox for `docker exec`. It asks the monitor for a process in the
 * guest, is its stdin, stdout, stderr and terminal, and ends with its exit code.
 *
 *     dkvm-exec [--socket PATH] [--container N] [--tty] [--user UID:GID] [--groups GID,...] [--cwd PATH]
 *               [--caps BOUNDING:EFFECTIVE:PERMITTED:INHERITABLE:AMBIENT] [--no-new-privs]
 *               [--rlimit RESOURCE:SOFT:HARD]... [--oom-score-adj N] [--set-home] [--umask N]
 *               -- PROGRAM [ARGUMENT]...
 *     dkvm-exec [--socket PATH] [--container N] --signal N
 *     dkvm-exec [--socket PATH] [--container N] --update MEMORY:PROCESSORS:PROCESSES
 *     dkvm-exec [--socket PATH] --usage
 *     dkvm-exec [--socket PATH] [--exhaust BYTES] --member N
 *
 * The second form passes a signal to the workload that the sandbox's init can not take itself: SIGSTOP.
 * The third form changes the VM's limits (`docker update`): memory in bytes; 0 for what stays as it is.
 * The fourth form writes what the guest uses to stdout, as it is in USAGE (protocol/PROTOCOL.md), for `dkvm top` and `dkvm stats`.
 * The fifth form is PID 1 of a pod's member, the container with that number: the client of its main session. If the container ran out of
 * memory it has dkvm-exhaust take so many bytes, so that the engine hears of it, before it ends with the exit code.
 * --container: the process is to run in the container of a pod that has this number, the signal is for it.
 * The process's variables are those of ours whose names begin with "+", without that: so nothing here goes by what an image names.
 * Capabilities are hexadecimal masks; every other number is decimal, the umask too, as in process.json.
 */
#include "sandbox/client/client.h"
#include "sandbox/client/client_send.h"
#include "sandbox/exec/exec_options.h"
#include "sandbox/client/say.h"
#include "common/session_socket.h"
#include "common/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_NOT_STARTED = 125,
	EXIT_TOO_LONG = 126, /* as a shell ends when execve(2) fails so */
	EXIT_SESSION_LOST = 255,
	KILL_MILLIS = 500,
	USAGE_SECONDS = 15,
	EXHAUST_SECONDS = 20,
};

#ifndef CONNECT_PATIENCE
#define CONNECT_PATIENCE 30000 /* ms: `docker exec` right after `docker run` comes before the monitor */
#endif

#ifndef EXHAUST
#define EXHAUST "/opt/dkvm/dkvm-exhaust"
#endif

static struct client client;
static struct request request;

/* Records of what the process would have got from us, had it been started here. */
static int add_inherited(bool terminal)
{
	uint8_t size[4];
	uint8_t ignored[8];
	uint8_t stdin_open = client.stdin_open ? 1 : 0;
	uint16_t rows;
	uint16_t columns;
	int error = request_add(&request, RECORD_STDIN, &stdin_open, 1);

	put_u64(ignored, client.ignored_signals);
	if (error == 0 && client.ignored_signals != 0)
		error = request_add(&request, RECORD_IGNORED_SIGNALS, ignored, sizeof ignored);
	if (error < 0 || !terminal)
		return error;
	window_size(STDIN_FILENO, &rows, &columns);
	put_u16(size, rows);
	put_u16(size + 2, columns);
	return request_add(&request, RECORD_TERMINAL, size, sizeof size);
}

/* 0, or an exit code. */
static int connect_to_monitor(const struct exec_options *options)
{
	client.signals = signals_take(&client.ignored_signals);
	if (client.signals < 0) {
		say("cannot take signals: ", reason(client.signals), NULL);
		return EXIT_NOT_STARTED;
	}
	client.socket = session_socket_connect(options->socket, CONNECT_PATIENCE);
	client.container = options->container;
	if (client.socket >= 0)
		return 0;
	if (options->member)
		say("cannot reach the pod's VM: nobody takes sessions at \"", options->socket,
		    "\": ", reason(client.socket), NULL);
	else
		say("cannot reach the monitor at \"", options->socket, "\": ", reason(client.socket), NULL);
	return EXIT_NOT_STARTED;
}

static int start_signal(const struct exec_options *options)
{
	int code = connect_to_monitor(options);

	if (code != 0)
		return code;
	client.role = ROLE_SIGNAL;
	client_start(&client);
	client_send_signal(&client, options->signal);
	return 0;
}

static int start_update(const struct exec_options *options)
{
	int code = connect_to_monitor(options);

	if (code != 0)
		return code;
	client.role = ROLE_UPDATE;
	client_start(&client);
	client_send_update(&client, options->limits[0], (uint32_t)options->limits[1], options->limits[2]);
	return 0;
}

/* Who asks has given up by then, and killed runc, which can not take us along: nothing is left behind. */
static void live_for(time_t seconds)
{
	struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	const struct itimerspec when = {.it_value.tv_sec = seconds};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &kill, &timer) == 0)
		timer_settime(timer, 0, &when, NULL);
}

static int start_usage(const struct exec_options *options)
{
	live_for(USAGE_SECONDS);
	int code = connect_to_monitor(options);

	if (code != 0)
		return code;
	client.role = ROLE_USAGE;
	client_start(&client);
	return 0;
}

static int start(const struct exec_options *options)
{
	int code = connect_to_monitor(options);

	if (code != 0)
		return code;
	client.role = ROLE_EXEC;
	client.terminal = options->terminal;
	client.stdin_open = !endpoint_is_null(STDIN_FILENO);
	client.request = &request;
	if (add_inherited(options->terminal) < 0 || request_length(&request) > REQUEST_MAX) {
		say(request.arguments[0], ": ", reason(E2BIG), NULL);
		return EXIT_TOO_LONG;
	}
	client_start(&client);
	return 0;
}

/* Of PID 1: processes that runc started here and left. None of them is the monitor. */
static bool reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return false;
}

static int start_member(const struct exec_options *options)
{
	int code = connect_to_monitor(options);

	if (code != 0)
		return code;
	client.role = ROLE_MAIN;
	client.terminal = isatty(STDIN_FILENO);
	client.stdin_open = !endpoint_is_null(STDIN_FILENO);
	client.monitor_ended = reap;
	client_start(&client);
	return 0;
}

/* The engine knows a container that ran out of memory by an event of its control group, in which we are, too. */
static void exhaust(const char *bytes)
{
	char *argv[] = {(char *)(uintptr_t)EXHAUST, (char *)(uintptr_t)bytes, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		signals_reset(0);
		alarm(EXHAUST_SECONDS);
		execv(argv[0], argv);
		_exit(EXIT_NOT_STARTED);
	}
	for (pid_t ended = 0; pid > 0 && ended != pid;) {
		ended = waitpid(-1, NULL, 0);
		if (ended < 0 && errno != EINTR)
			break;
	}
}

static int exit_code(const struct exec_options *options)
{
	switch (client.end) {
	case CLIENT_EXITED:
	case CLIENT_REFUSED:
		return client.code;
	case CLIENT_BROKEN:
		say("the monitor broke the protocol: ", client.fault, NULL);
		break;
	case CLIENT_LOST:
	case CLIENT_RUNNING:
		/* who kills a pod kills each of its containers: that signal, which nobody sees come, is then this one's end, too */
		if (options->member)
			poll(NULL, 0, KILL_MILLIS);
		say(options->member ? "the pod's VM has gone" : "the connection to the monitor was lost", NULL);
		break;
	}
	return EXIT_SESSION_LOST;
}

/* What the process is to have of our environment, in its place. */
static char **process_environment(void)
{
	char **to = environ;

	for (char **from = environ; *from; from++)
		if ((*from)[0] == '+')
			*to++ = *from + 1;
	*to = NULL;
	return environ;
}

int main(int argc, char **argv)
{
	struct exec_options options;
	const char *wrong = argc < 1 ? "" : exec_options_parse(&options, &request, argv);

	if (endpoint_fill_holes() < 0)
		return EXIT_NOT_STARTED;
	if (wrong) {
		say("dkvm-exec: bad command line: \"", wrong, "\"", NULL);
		return EXIT_NOT_STARTED;
	}
	/* nobody without CAP_SYS_PTRACE reads our memory, whatever uid it has */
	prctl(PR_SET_DUMPABLE, 0);
	request.environment = process_environment();
	int code = options.signal   ? start_signal(&options)
		   : options.update ? start_update(&options)
		   : options.usage  ? start_usage(&options)
		   : options.member ? start_member(&options)
				    : start(&options);
	if (code != 0)
		return code;
	client_run(&client);
	client_stop(&client);
	if (client.out_of_memory && options.exhaust)
		exhaust(options.exhaust);
	return exit_code(&options);
}
