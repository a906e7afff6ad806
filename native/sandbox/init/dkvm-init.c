/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-init, PID 1 of the sandbox: starts the monitor, is the client of the main session, and ends with
 * the workload's exit code.
 *
 *     dkvm-init [--socket PATH] [--log PATH] [--terminal qemu] -- MONITOR [ARGUMENT]...
 *
 * --terminal qemu: QEMU reads and writes the terminal. We make it raw, tell of its size, and give it back.
 */
#include "sandbox/client/client.h"
#include "sandbox/init/jvm.h"
#include "sandbox/client/say.h"
#include "common/session_socket.h"
#include "sandbox/init/shell.h"
#include "common/signals.h"
#include "sandbox/init/watch.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	EXIT_NOT_STARTED = 125,
	EXIT_MONITOR_LOST = 255,
	LAST_MOMENTS = 2000, /* ms: for a monitor that hung up to end */
};

struct options {
	const char *socket;
	const char *log;
	bool terminal_taken;
	char **monitor; /* its argv */
};

static struct jvm monitor;
static struct client client;

static int not_started(const char *what, const char *object, int error)
{
	client_stop(&client);
	say(what, " \"", object, "\": ", reason(error), NULL);
	return EXIT_NOT_STARTED;
}

static bool parse_options(struct options *options, char **argv)
{
	*options = (struct options){"/run/dkvm/monitor.sock", "/run/dkvm/monitor.log", false, NULL};
	for (char **p = argv + 1; *p; p += 2) {
		if (strcmp(*p, "--") == 0) {
			options->monitor = p + 1;
			return p[1] != NULL;
		}
		if (!p[1])
			return false;
		if (strcmp(*p, "--socket") == 0)
			options->socket = p[1];
		else if (strcmp(*p, "--log") == 0)
			options->log = p[1];
		else if (strcmp(*p, "--terminal") == 0 && strcmp(p[1], "qemu") == 0)
			options->terminal_taken = true;
		else
			return false;
	}
	return false;
}

/* The monitor, virtiofsd and QEMU hold many files; the soft limit is 1024 by tradition only. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* BREAK came: the launch waits while a person looks around in the sandbox. */
static void pause_launch(const char *point)
{
	monitor.shell = shell_start(&client.raw_mode, point);
	if (monitor.shell <= 0) {
		say("cannot run a shell at \"", point, "\": ", reason(monitor.shell), NULL);
		monitor.shell = 0;
		client_resume(&client);
	}
}

static bool monitor_ended(void)
{
	bool shell_ran = monitor.shell > 0;
	bool ended = jvm_reap(&monitor);

	if (shell_ran && monitor.shell == 0) {
		shell_ended(&client.raw_mode);
		client_resume(&client);
	}
	return ended;
}

/* Everything from blocking signals to a running monitor with our session in its queue. 0, or an exit code. */
static int start(const struct options *options)
{
	int error = endpoint_fill_holes();

	if (error < 0)
		return not_started("cannot open", "/dev/null", error);
	client.signals = signals_take(&client.ignored_signals);
	if (client.signals < 0)
		return not_started("cannot take", "signals", client.signals);
	raise_file_limit();
	/* before the monitor looks at the network: what changes after that is told */
	client.watch = watch_open();
	if (client.watch < 0)
		return not_started("cannot watch", "the network", client.watch);
	client.watched = watch_drain;
	int listener = session_socket_listen(options->socket);
	if (listener < 0)
		return not_started("cannot listen on", options->socket, listener);
	client.socket = session_socket_connect(options->socket, 0);
	if (client.socket < 0)
		return not_started("cannot connect to", options->socket, client.socket);
	error = jvm_open_log(&monitor, options->log);
	if (error < 0)
		return not_started("cannot open", options->log, error);
	client.role = ROLE_MAIN;
	client.terminal = isatty(STDIN_FILENO);
	client.stdin_open = !options->terminal_taken && !endpoint_is_null(STDIN_FILENO);
	client.monitor_ended = monitor_ended;
	client.pause = client.terminal ? pause_launch : NULL;
	client_start(&client);
	error = jvm_start(&monitor, options->monitor, listener);
	if (error < 0)
		return not_started("cannot run the monitor", options->monitor[0], error);
	close(listener); /* held on to, it would queue clients that nobody serves */
	return 0;
}

/* Whatever is left: QEMU, virtiofsd, exec clients. Where it is not PID 1, in tests, the monitor's own only. */
static void kill_the_rest(void)
{
	if (getpid() == 1)
		kill(-1, SIGKILL);
	else if (monitor.pid > 0)
		kill(-monitor.pid, SIGKILL);
}

static int exit_code(void)
{
	switch (client.end) {
	case CLIENT_EXITED:
	case CLIENT_REFUSED:
		return client.code;
	case CLIENT_BROKEN:
		say("the monitor broke the protocol: ", client.fault, NULL);
		return EXIT_MONITOR_LOST;
	case CLIENT_LOST:
	case CLIENT_RUNNING:
		break;
	}
	jvm_wait(&monitor, LAST_MOMENTS);
	jvm_report(&monitor);
	return EXIT_MONITOR_LOST;
}

int main(int argc, char **argv)
{
	struct options options;
	int code;

	if (argc < 1 || !parse_options(&options, argv)) {
		say("usage: dkvm-init [--socket PATH] [--log PATH] [--terminal qemu] -- MONITOR [ARGUMENT]...", NULL);
		return EXIT_NOT_STARTED;
	}
	code = start(&options);
	if (code == 0) {
		client_run(&client);
		client_stop(&client);
		code = exit_code();
	}
	kill_the_rest();
	return code;
}
