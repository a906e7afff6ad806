/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor for tests: `fake_monitor SCENARIO [NETWORK-SOCKET]`, the listening socket is its stdin. */
#include "fake_monitor.h"

#include "common/session_socket.h"

#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct session fake_session;
static struct session *const s = &fake_session;
static const char *network_socket = "";

void fake_say(const char *format, unsigned a, unsigned b)
{
	char line[128];
	int n = snprintf(line, sizeof line, format, a, b);

	session_put_output(s, CHANNEL_STDOUT, line, (size_t)n);
}

/* Wait for the client to have read all: it then closes. */
static void linger(void)
{
	char byte;

	shutdown(s->fd, SHUT_WR);
	while (read(s->fd, &byte, 1) > 0)
		;
}

void fake_open(void)
{
	session_accept(s);
	session_opened(s);
}

/* Stdin to both stdout and stderr; 7. */
static void echo(void)
{
	fake_open();
	while (!s->stdin_ended || s->waiting > 0) {
		uint8_t piece[FRAME_DATA_PAYLOAD];
		size_t n = s->waiting < 9973 ? s->waiting : 9973;

		if (n == 0) {
			if (session_take(s) == 0)
				session_fault("the client left");
			continue;
		}
		memcpy(piece, s->inbox, n);
		session_consume(s, n);
		session_put_output(s, CHANNEL_STDOUT, piece, n);
		session_put_output(s, CHANNEL_STDERR, piece, n);
	}
	session_put(s, FRAME_STDOUT, "", 0);
	session_put(s, FRAME_STDERR, "", 0);
	session_exit(s, 7);
}

static void put_pattern(uint64_t from, uint64_t to)
{
	uint8_t piece[10007];

	while (from < to) {
		size_t n = to - from < sizeof piece ? (size_t)(to - from) : sizeof piece;

		for (size_t i = 0; i < n; i++)
			piece[i] = pattern(from + i);
		session_put_output(s, CHANNEL_STDOUT, piece, n);
		from += n;
	}
}

/* 5 MB, then exit 3, whether anybody reads or not. A SIGPIPE of the client's own would be an error. */
static void flood(void)
{
	fake_open();
	put_pattern(0, 5000000);
	if (s->last_signal)
		session_fault("a signal nobody sent");
	session_exit(s, 3);
}

/* All of the credit and EXIT at once, then gone. */
static void burst(void)
{
	fake_open();
	put_pattern(0, FRAME_CREDIT);
	session_exit(s, 42);
	_exit(1);
}

/* Each signal's number as a line; 0 once stdin ends. */
static void signals(void)
{
	fake_open();
	fake_say("ready\n", 0, 0);
	while (!s->stdin_ended) {
		uint8_t type = session_take(s);

		if (type == 0)
			session_fault("the client left");
		if (type == FRAME_SIGNAL)
			fake_say("%u\n", s->last_signal, 0);
	}
	session_exit(s, 0);
}

/* Stdout is stalled; stderr and signals must not be. */
static void stall(void)
{
	fake_open();
	put_pattern(0, FRAME_CREDIT);
	session_put_output(s, CHANNEL_STDERR, "stalled\n", 8);
	while (s->last_signal != SIGUSR1)
		if (session_take(s) == 0)
			session_fault("the client left");
	session_put_output(s, CHANNEL_STDERR, "signalled\n", 10);
	put_pattern(FRAME_CREDIT, 1000000);
	session_exit(s, 5);
}

/* What the client's terminal does, once the session is open. */
static void show_terminal(void)
{
	fake_say("attached %u\n", s->attach[2], 0);
	fake_say("size %u %u\n", s->rows, s->columns);
	for (;;) {
		if (session_take(s) == 0)
			session_fault("the client left");
		if (s->resized)
			fake_say("size %u %u\n", s->rows, s->columns);
		if (s->last_signal)
			fake_say("signal %u\n", s->last_signal, 0);
		s->resized = false;
		s->last_signal = 0;
		while (s->waiting > 0) {
			uint8_t byte = s->inbox[0];

			session_consume(s, 1);
			fake_say("byte %u\n", byte, 0);
			if (byte == 'q') {
				session_put(s, FRAME_NOTICE, "bye\n", 4);
				session_exit(s, 9);
				return;
			}
		}
	}
}

static void terminal(void)
{
	fake_open();
	show_terminal();
}

/* A pause of the launch, in which the client sends nothing but sizes and signals: 15 ends it. */
static bool pause_at(const char *point)
{
	session_put(s, FRAME_BREAK, point, strlen(point));
	for (uint8_t type = 0; type != FRAME_BREAK;) {
		type = session_take(s);
		if (type == 0)
			session_fault("the client left");
		if (type == FRAME_STDIN || type == FRAME_CREDIT_MORE)
			session_fault("the shell's input or output");
		if (s->last_signal == SIGTERM)
			return false;
	}
	return true;
}

static void breaks(void)
{
	session_attach(s);
	if (!pause_at("prenet") || !pause_at("preqemu")) {
		session_exit(s, 143);
		return;
	}
	session_opened(s);
	show_terminal();
}

static void break_after_opened(void)
{
	fake_open();
	session_put(s, FRAME_BREAK, "prenet", 6);
	pause();
}

/* The terminal's input is another program's. 9 at the first signal. */
static void taken(void)
{
	fake_open();
	fake_say("attached %u\n", s->attach[2], 0);
	while (!s->last_signal) {
		if (session_take(s) == 0)
			session_fault("the client left");
		if (s->waiting > 0 || s->stdin_ended)
			session_fault("input that is not the client's");
		if (s->resized)
			fake_say("size %u %u\n", s->rows, s->columns);
		s->resized = false;
	}
	session_exit(s, 9);
}

/* As the monitor does: dkvm-network says first that it is there, and it watches from then on. */
static void network_joins(void)
{
	uint8_t greeting[8];
	struct pollfd one = {session_socket_connect(network_socket, 60000), POLLIN, 0};

	if (one.fd < 0 || poll(&one, 1, 60000) <= 0 || read(one.fd, greeting, sizeof greeting) <= 0)
		session_fault("dkvm-network does not answer");
}

/* In a network namespace of its own: the loopback comes up, and the client tells. */
static void network(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	fake_open();
	network_joins();
	s->network_wanted = true;
	fake_say("changes %u\n", s->network_changes, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		session_fault("the loopback does not come up");
	while (s->network_changes == 0)
		if (session_take(s) == 0)
			session_fault("the client left");
	session_exit(s, 12);
}

/* 11 once both SIGHUP and the end of stdin came. */
static void hangup(void)
{
	fake_open();
	fake_say("ready\n", 0, 0);
	/* SIGCONT follows SIGHUP, as the kernel sends them. */
	for (bool hung_up = false; !hung_up || !s->stdin_ended; hung_up = hung_up || s->last_signal == SIGHUP)
		if (session_take(s) == 0)
			session_fault("the client left");
	session_exit(s, 11);
}

static void die_after_output(void)
{
	fake_open();
	put_pattern(0, 60000);
	_exit(3);
}

/* Nothing of what the client sends is read; the connection closes, the process stays. */
static void close_only(void)
{
	fake_open();
	close(s->fd);
	pause();
}

static void refuse(void)
{
	session_accept(s);
	session_put(s, FRAME_REFUSED, "\177exec: \"foo\": executable file not found in $PATH", 48);
	linger();
}

/* After the first piece of many. */
static void refuse_early(void)
{
	session_attach(s);
	session_take(s);
	session_put(s, FRAME_REFUSED, "\176too long", 9);
	close(s->fd);
}

/* Who the client is, and whose; 137, of a container that ran out of memory. */
static void out_of_memory(void)
{
	fake_open();
	fake_say("role %u container %u\n", s->attach[1], get_u32(s->attach + 16));
	fake_say("flags %u ignored %u\n", s->attach[2], get_u32(s->attach + 8));
	session_put(s, FRAME_EXIT, (uint8_t[]){137, EXIT_OUT_OF_MEMORY}, 2);
}

static void records(void)
{
	fake_open();
	session_put_output(s, CHANNEL_STDOUT, s->records, s->records_length);
	session_exit(s, 0);
}

static void close_stdout(void)
{
	fake_open();
	session_put_output(s, CHANNEL_STDOUT, "last\n", 5);
	session_put(s, FRAME_STDOUT, "", 0);
	while (s->last_signal != SIGUSR1)
		if (session_take(s) == 0)
			session_fault("the client left");
	session_exit(s, 8);
}

static void notices(void)
{
	static char text[4096];

	fake_open();
	memset(text, 'n', sizeof text);
	for (int i = 0; i < 500; i++)
		session_put(s, FRAME_NOTICE, text, sizeof text);
	session_put_output(s, CHANNEL_STDOUT, "sent\n", 5);
	session_exit(s, 2);
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{"echo", echo},
	{"flood", flood},
	{"burst", burst},
	{"signals", signals},
	{"stall", stall},
	{"terminal", terminal},
	{"breaks", breaks},
	{"late-break", break_after_opened},
	{"taken", taken},
	{"hangup", hangup},
	{"network", network},
	{"die-with-code", fake_die_with_code},
	{"die-of-signal", fake_die_of_signal},
	{"die-unaccepted", fake_die_unaccepted},
	{"die-after-output", die_after_output},
	{"close-only", close_only},
	{"refuse", refuse},
	{"refuse-early", refuse_early},
	{"records", records},
	{"out-of-memory", out_of_memory},
	{"close-stdout", close_stdout},
	{"notices", notices},
	{"surroundings", fake_surroundings},
	{"orphans", fake_orphans},
	{"truncated", fake_truncate},
	{"early-output", fake_output_before_opened},
	{"after-end", fake_output_after_end},
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (argc > 2)
		network_socket = argv[2];
	/* Held by us and our children: tests see by it when all are gone. */
	flock(STDOUT_FILENO, LOCK_EX);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(name, "surroundings") == 0)
		signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		if (strcmp(name, scenarios[i].name) == 0) {
			scenarios[i].run();
			linger();
			return 0;
		}
	}
	fake_break(name);
	return 0;
}
