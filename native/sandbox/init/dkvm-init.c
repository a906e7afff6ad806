/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-init, PID 1 of the sandbox: starts the monitor, is the client of the main session, and ends with
 * the workload's exit code.
 *
 *     dkvm-init [--socket PATH] [--link PATH] [--log PATH] [--terminal qemu] [--starter PATH] [--network PATH] [--antispoof on]
 *               [--template DIRECTORY:BYTES] [--forward PATH] [--as NAME:UID:GID:CAPABILITIES]... -- MONITOR [ARGUMENT]...
 *
 * --link: a link to the socket, where that is in a directory that other sandboxes have, too. --terminal qemu: QEMU reads and writes the terminal. We make it raw, tell of its size, and give it back.
 * --starter: where the monitor asks for programs to be started. --network: where it asks for changes of the network; dkvm-network
 * answers there. --template: the VM is restored from what is there. --antispoof: what the VM sends in another's name is dropped. --forward: where the monitor
 * takes what connects to localhost of a pod from outside (forward_program.h). --as: the rights of a program: network, monitor, forward, virtiofsd, qemu, disks, sockets, exhaust, locks, events, web. Once one of them has
 * been named, dkvm-init drops what none of them has, and can use of its own only what sends them signals.
 */
#include "sandbox/client/client.h"
#include "sandbox/init/jvm.h"
#include "sandbox/client/say.h"
#include "common/confine.h"
#include "common/session_socket.h"
#include "sandbox/init/forward_program.h"
#include "sandbox/init/network_program.h"
#include "sandbox/init/shell.h"
#include "sandbox/init/starter.h"
#include "common/signals.h"
#include "sandbox/init/template.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	EXIT_NOT_STARTED = 125,
	EXIT_MONITOR_LOST = 255,
	LAST_MOMENTS = 2000, /* ms: for a monitor that hung up to end */
};

/* Whose rights are told; those that the starter starts come last, in its order. */
enum named { NAMED_NETWORK, NAMED_MONITOR, NAMED_FORWARD, NAMED_STARTED, NAMES = NAMED_STARTED + STARTER_KINDS };

static const char *const names[NAMES] = {
	"network", "monitor", "forward", "virtiofsd", "qemu", "disks", "sockets", "exhaust", "locks", "events", "web",
};

/* What it takes to start processes that have less, and to send them signals. */
#define STARTING                                                                                                       \
	(UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID | UINT64_C(1) << CAP_SETPCAP | UINT64_C(1) << CAP_KILL)

struct options {
	const char *socket;
	const char *link; /* NULL: none */
	const char *log;
	const char *starter; /* NULL: nothing is started for the monitor */
	const char *network; /* NULL: the network is not changed */
	const char *forward; /* NULL: nobody connects from outside */
	struct template_option template;
	bool terminal_taken;
	bool guarded;
	bool given[NAMES];
	struct rights rights[NAMES];
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

/* NAME:UID:GID:CAPABILITIES */
static bool parse_rights(struct options *options, const char *text)
{
	for (int i = 0; i < NAMES; i++) {
		size_t length = strlen(names[i]);

		if (strncmp(text, names[i], length) != 0 || text[length] != ':')
			continue;
		options->given[i] = true;
		return rights_parse(&options->rights[i], text + length + 1);
	}
	return false;
}

static bool parse_option(struct options *options, const char *name, char *value)
{
	if (strcmp(name, "--socket") == 0)
		options->socket = value;
	else if (strcmp(name, "--link") == 0)
		options->link = value;
	else if (strcmp(name, "--log") == 0)
		options->log = value;
	else if (strcmp(name, "--starter") == 0)
		options->starter = value;
	else if (strcmp(name, "--network") == 0)
		options->network = value;
	else if (strcmp(name, "--forward") == 0)
		options->forward = value;
	else if (strcmp(name, "--template") == 0)
		return template_parse(&options->template, value);
	else if (strcmp(name, "--antispoof") == 0 && strcmp(value, "on") == 0)
		options->guarded = true;
	else if (strcmp(name, "--terminal") == 0 && strcmp(value, "qemu") == 0)
		options->terminal_taken = true;
	else
		return strcmp(name, "--as") == 0 && parse_rights(options, value);
	return true;
}

static bool parse_options(struct options *options, char **argv)
{
	*options = (struct options){.socket = "/run/dkvm/monitor.sock", .log = "/run/dkvm/monitor.log"};
	for (char **p = argv + 1; *p; p += 2) {
		if (strcmp(*p, "--") == 0) {
			options->monitor = p + 1;
			return p[1] != NULL;
		}
		if (!p[1] || !parse_option(options, p[0], p[1]))
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

static const struct rights *rights_of(const struct options *options, enum named name)
{
	return options->given[name] ? &options->rights[name] : NULL;
}

/* It is the only one that may change the network, or talk to the kernel of it: it comes first, and all others without. */
static int start_network(const struct options *options)
{
	if (!options->network)
		return 0;
	/* before the monitor looks at the network: what changes after that is told */
	client.watch =
		network_start(rights_of(options, NAMED_NETWORK), options->rights[NAMED_STARTED + STARTER_QEMU].uid,
			      options->guarded, options->network, monitor.log);
	client.watched = network_changed;
	return client.watch < 0 ? client.watch : 0;
}

static size_t more_polls(struct pollfd *polls)
{
	size_t count = starter_polls(polls);

	forward_polls(polls + count, client.opened);
	return count + FORWARD_POLLS;
}

static void more_ready(const struct pollfd *polls, size_t count)
{
	starter_ready(polls, count - FORWARD_POLLS);
	forward_ready(polls + count - FORWARD_POLLS, monitor.log);
}

static int open_starter(const struct options *options)
{
	static struct starter_rights rights;

	if (!options->starter)
		return 0;
	memcpy(rights.given, options->given + NAMED_STARTED, sizeof rights.given);
	memcpy(rights.of, options->rights + NAMED_STARTED, sizeof rights.of);
	client.more_polls = more_polls;
	client.more_ready = more_ready;
	return starter_open(options->starter, &rights);
}

/* All that nobody will be started with any more is dropped. */
static int drop_rights(const struct options *options)
{
	uint64_t kept = STARTING;
	bool any = false;

	for (int i = 0; i < NAMES; i++) {
		any |= options->given[i];
		kept |= i == NAMED_NETWORK ? 0 : options->rights[i].capabilities;
	}
	/* nobody without CAP_SYS_PTRACE reads our memory, whatever uid it has */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	int r = any ? confine_all() : 0;

	return any && r == 0 ? rights_keep(kept, UINT64_C(1) << CAP_KILL) : r;
}

static int start_monitor(const struct options *options, int listener)
{
	int error = drop_rights(options);

	if (error < 0)
		return not_started("cannot give up", "rights", error);
	error = jvm_start(&monitor, options->monitor, listener, rights_of(options, NAMED_MONITOR));
	if (error < 0)
		return not_started("cannot run the monitor", options->monitor[0], error);
	starter_serve(monitor.pid);
	close(listener); /* held on to, it would queue clients that nobody serves */
	return 0;
}

/* Everything from blocking signals to a running monitor with our session in its queue. 0, or an exit code. */
static int start(const struct options *options)
{
	int error = endpoint_fill_holes();

	if (error < 0)
		return not_started("cannot open", "/dev/null", error);
	if (options->forward)
		forward_find(options->forward, rights_of(options, NAMED_FORWARD));
	client.signals = signals_take(&client.ignored_signals);
	if (client.signals < 0)
		return not_started("cannot take", "signals", client.signals);
	raise_file_limit();
	template_begin(&options->template);
	int listener = session_socket_listen(options->socket);
	if (listener < 0)
		return not_started("cannot listen on", options->socket, listener);
	if (options->link && symlink(options->socket, options->link) < 0)
		return not_started("cannot make", options->link, -errno);
	error = jvm_open_log(&monitor, options->log);
	if (error < 0)
		return not_started("cannot open", options->log, error);
	forward_tell(monitor.log);
	error = start_network(options);
	if (error < 0)
		return not_started("cannot start", "dkvm-network", error);
	error = open_starter(options);
	if (error < 0)
		return not_started("cannot listen on", options->starter, error);
	client.socket = session_socket_connect(options->socket, 0);
	if (client.socket < 0)
		return not_started("cannot connect to", options->socket, client.socket);
	client.role = ROLE_MAIN;
	client.container = FIRST_CONTAINER;
	client.terminal = isatty(STDIN_FILENO);
	client.stdin_open = !options->terminal_taken && !endpoint_is_null(STDIN_FILENO);
	client.monitor_ended = monitor_ended;
	client.pause = client.terminal ? pause_launch : NULL;
	client_start(&client);
	return start_monitor(options, listener);
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
		say("usage: dkvm-init [--socket PATH] [--link PATH] [--log PATH] [--terminal qemu] [--starter PATH] "
		    "[--network PATH] "
		    "[--antispoof on] [--template DIRECTORY:BYTES] [--forward PATH] [--as "
		    "NAME:UID:GID:CAPABILITIES]... -- MONITOR "
		    "[ARGUMENT]...",
		    NULL);
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
