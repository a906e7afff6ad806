/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor for tests: `fake_monitor SCENARIO`, the listening socket is its stdin. */
#include "session_fake.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct session session;
static struct session *const s = &session;

static void say_out(const char *format, unsigned a, unsigned b)
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

static void open_session(void)
{
	session_accept(s);
	session_opened(s);
}

/* Stdin to both stdout and stderr; 7. */
static void echo(void)
{
	open_session();
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
	open_session();
	put_pattern(0, 5000000);
	if (s->last_signal)
		session_fault("a signal nobody sent");
	session_exit(s, 3);
}

/* All of the credit and EXIT at once, then gone. */
static void burst(void)
{
	open_session();
	put_pattern(0, FRAME_CREDIT);
	session_exit(s, 42);
	_exit(1);
}

/* Each signal's number as a line; 0 once stdin ends. */
static void signals(void)
{
	open_session();
	say_out("ready\n", 0, 0);
	while (!s->stdin_ended) {
		uint8_t type = session_take(s);

		if (type == 0)
			session_fault("the client left");
		if (type == FRAME_SIGNAL)
			say_out("%u\n", s->last_signal, 0);
	}
	session_exit(s, 0);
}

/* Stdout is stalled; stderr and signals must not be. */
static void stall(void)
{
	open_session();
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
	say_out("attached %u\n", s->attach[2], 0);
	say_out("size %u %u\n", s->rows, s->columns);
	for (;;) {
		if (session_take(s) == 0)
			session_fault("the client left");
		if (s->resized)
			say_out("size %u %u\n", s->rows, s->columns);
		if (s->last_signal)
			say_out("signal %u\n", s->last_signal, 0);
		s->resized = false;
		s->last_signal = 0;
		while (s->waiting > 0) {
			uint8_t byte = s->inbox[0];

			session_consume(s, 1);
			say_out("byte %u\n", byte, 0);
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
	open_session();
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
	open_session();
	session_put(s, FRAME_BREAK, "prenet", 6);
	pause();
}

/* The terminal's input is another program's. 9 at the first signal. */
static void taken(void)
{
	open_session();
	say_out("attached %u\n", s->attach[2], 0);
	while (!s->last_signal) {
		if (session_take(s) == 0)
			session_fault("the client left");
		if (s->waiting > 0 || s->stdin_ended)
			session_fault("input that is not the client's");
		if (s->resized)
			say_out("size %u %u\n", s->rows, s->columns);
		s->resized = false;
	}
	session_exit(s, 9);
}

/* In a network namespace of its own: the loopback comes up, and the client tells. */
static void network(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	open_session();
	s->network_wanted = true;
	say_out("changes %u\n", s->network_changes, 0);
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
	open_session();
	say_out("ready\n", 0, 0);
	/* SIGCONT follows SIGHUP, as the kernel sends them. */
	for (bool hung_up = false; !hung_up || !s->stdin_ended; hung_up = hung_up || s->last_signal == SIGHUP)
		if (session_take(s) == 0)
			session_fault("the client left");
	session_exit(s, 11);
}

static void die_with_code(void)
{
	open_session();
	for (int line = 1; line <= 30; line++)
		fprintf(stderr, "line %d\033\n", line);
	fflush(stderr);
	_exit(3);
}

static void die_of_signal(void)
{
	open_session();
	kill(getpid(), SIGKILL);
}

static void die_unaccepted(void)
{
	_exit(4);
}

static void die_after_output(void)
{
	open_session();
	put_pattern(0, 60000);
	_exit(3);
}

/* Nothing of what the client sends is read; the connection closes, the process stays. */
static void close_only(void)
{
	open_session();
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

static void records(void)
{
	open_session();
	session_put_output(s, CHANNEL_STDOUT, s->records, s->records_length);
	session_exit(s, 0);
}

static void close_stdout(void)
{
	open_session();
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

	open_session();
	memset(text, 'n', sizeof text);
	for (int i = 0; i < 500; i++)
		session_put(s, FRAME_NOTICE, text, sizeof text);
	session_put_output(s, CHANNEL_STDOUT, "sent\n", 5);
	session_exit(s, 2);
}

/* What kind of process dkvm-init made of us. */
static void surroundings(void)
{
	struct rlimit files;
	struct stat log;
	char status[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, status, sizeof status - 1);

	close(fd);
	status[n > 0 ? n : 0] = '\0';
	if (!strstr(status, "SigBlk:\t0000000000000000") || !strstr(status, "SigIgn:\t0000000000000000"))
		session_fault("inherited signal state");
	if (getsid(0) != getpid() || getpgrp() != getpid())
		session_fault("no session of its own");
	if (fcntl(3, F_GETFD) >= 0 || fcntl(7, F_GETFD) >= 0)
		session_fault("open files inherited");
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur != files.rlim_max)
		session_fault("soft limit of files not raised");
	if (fstat(STDERR_FILENO, &log) < 0 || (log.st_mode & 07777) != 0600 ||
	    !(fcntl(STDERR_FILENO, F_GETFL) & O_APPEND))
		session_fault("log");
	if (fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK)
		session_fault("non-blocking listener");
	open_session();
	say_out("attached %u\n", s->attach[2], 0);
	if (get_u64(s->attach + 8) != 0)
		say_out("ignored %u %u\n", get_u32(s->attach + 8), get_u32(s->attach + 12));
	session_exit(s, 0);
}

static unsigned count_zombies(void)
{
	unsigned count = 0;
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char path[300];
		char stat_line[512] = "";
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		FILE *file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(stat_line, sizeof stat_line, file) && strstr(stat_line, ") Z "))
			count++;
		fclose(file);
	}
	closedir(proc);
	return count;
}

/* In a PID namespace: 20 orphans that end, one that would stay and holds a lock on the log. */
static void orphans(void)
{
	open_session();
	for (int i = 0; i <= 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			if (fork() == 0) {
				setsid();
				while (i == 20)
					pause();
			}
			_exit(0);
		}
	}
	usleep(300000);
	/* The 21 children in the middle are ours, and we do not reap: only orphans count for PID 1. */
	say_out("zombies %u pid1 %u\n", count_zombies(), (unsigned)getppid());
	kill(1, SIGUSR2);
	while (s->last_signal != SIGTERM) {
		if (session_take(s) == 0)
			session_fault("the client left");
		if (s->last_signal == SIGUSR2)
			say_out("from within %u\n", s->last_signal, 0);
	}
	session_exit(s, 6);
	pause();
}

static uint8_t zeros[FRAME_CREDIT + 1];

/* One frame each that breaks the protocol; claimed is the length in its header. */
static const struct {
	const char *name;
	uint8_t type;
	uint32_t stream;
	uint32_t claimed;
	const void *payload;
	size_t length;
} hostile_frames[] = {
	{"oversized", FRAME_STDOUT, 1, FRAME_MAX_PAYLOAD + 1, "", 0},
	{"huge", FRAME_STDOUT, 1, UINT32_MAX, "", 0},
	{"unknown", 0x7F, 1, 1, "x", 1},
	{"wrong-side", FRAME_STDIN, 1, 1, "x", 1},
	{"control", FRAME_SHUTDOWN, 1, 0, "", 0},
	{"wrong-stream", FRAME_STDOUT, 2, 0, "", 0},
	{"short-exit", FRAME_EXIT, 1, 1, "x", 1},
	{"opened-twice", FRAME_OPENED, 1, 4, zeros, 4},
	{"late-refusal", FRAME_REFUSED, 1, 2, "\1x", 2},
	{"credit", FRAME_CREDIT_MORE, 1, 5, "\0\1\0\0\0", 5},
	{"credit-wrap", FRAME_CREDIT_MORE, 1, 5, "\0\377\377\377\377", 5},
	{"credit-channel", FRAME_CREDIT_MORE, 1, 5, "\1\0\0\0\0", 5},
	{"overflow", FRAME_STDERR, 1, sizeof zeros, zeros, sizeof zeros},
	{"long-notice", FRAME_NOTICE, 1, 4097, zeros, 4097},
	{"break", FRAME_BREAK, 1, 6, "prenet", 6},
};

static void hostile(const char *name)
{
	uint8_t header[FRAME_HEADER];

	open_session();
	for (size_t i = 0; i < sizeof hostile_frames / sizeof hostile_frames[0]; i++) {
		if (strcmp(name, hostile_frames[i].name) != 0)
			continue;
		frame_header(header, hostile_frames[i].type, hostile_frames[i].stream, hostile_frames[i].claimed);
		session_send(s, header, sizeof header);
		session_send(s, hostile_frames[i].payload, hostile_frames[i].length);
	}
	pause();
}

static void output_before_opened(void)
{
	session_accept(s);
	session_put(s, FRAME_STDOUT, "x", 1);
	pause();
}

static void output_after_end(void)
{
	open_session();
	session_put(s, FRAME_STDERR, "", 0);
	session_put(s, FRAME_STDERR, "x", 1);
	pause();
}

static void truncated(void)
{
	uint8_t header[FRAME_HEADER];

	open_session();
	session_put_output(s, CHANNEL_STDOUT, "before\n", 7);
	frame_header(header, FRAME_STDOUT, 1, 100);
	session_send(s, header, sizeof header);
	_exit(0);
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
	{"die-with-code", die_with_code},
	{"die-of-signal", die_of_signal},
	{"die-unaccepted", die_unaccepted},
	{"die-after-output", die_after_output},
	{"close-only", close_only},
	{"refuse", refuse},
	{"refuse-early", refuse_early},
	{"records", records},
	{"close-stdout", close_stdout},
	{"notices", notices},
	{"surroundings", surroundings},
	{"orphans", orphans},
	{"truncated", truncated},
	{"early-output", output_before_opened},
	{"after-end", output_after_end},
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

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
	hostile(name);
	return 0;
}
