/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-init against fake monitors. */
#include "check.h"
#include "programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MEGABYTES_20 = 20000000 };

static struct program p;

static void relays_bytes(void)
{
	program_init(&p, "echo", STDIO_PIPES);
	program_finish(&p, MEGABYTES_20);
	CHECK("20 MB come back on stdout byte by byte", p.out_length == MEGABYTES_20 && p.out_exact);
	CHECK("20 MB come back on stderr byte by byte", p.err_length == MEGABYTES_20 && p.err_exact);
	CHECK("the exit code is the guest's", p.code == 7);
	program_init(&p, "echo", STDIO_SOCKETS);
	program_finish(&p, 1000000);
	CHECK("stdio may be sockets", p.code == 7 && p.out_length == 1000000 && p.out_exact && p.err_exact);
	program_init(&p, "echo", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("an empty stdin is an end of file", p.code == 7 && p.out_length == 0);
}

static void knows_its_stdin(void)
{
	program_init(&p, "surroundings", STDIO_NULL_INPUT);
	program_finish(&p, 0);
	CHECK("/dev/null is no open stdin", p.code == 0 && strcmp(p.out_text, "attached 0\n") == 0);
	program_init(&p, "surroundings", STDIO_CLOSED_INPUT);
	program_finish(&p, 0);
	CHECK("a closed stdin is no open stdin", p.code == 0 && strcmp(p.out_text, "attached 0\n") == 0);
}

static void prepares_the_monitor(void)
{
	struct rlimit before, low;
	int leaked = open("/dev/null", O_RDONLY);

	getrlimit(RLIMIT_NOFILE, &before);
	low = before;
	low.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &low);
	dup2(leaked, 7);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGUSR2, SIG_IGN);
	program_init(&p, "surroundings", STDIO_PIPES);
	program_finish(&p, 0);
	signal(SIGUSR2, SIG_DFL);
	close(7);
	close(leaked);
	setrlimit(RLIMIT_NOFILE, &before);
	CHECK("the monitor has default signals, its own session, all the files it may, and no others open",
	      p.code == 0 && strncmp(p.out_text, "attached 2\n", 11) == 0);
	CHECK("it says which signals were ignored", strcmp(p.out_text + 11, "ignored 2048 0\n") == 0);
	if (p.code != 0)
		printf("# %d %s\n", p.code, p.err_text);
}

static void drains_before_it_exits(void)
{
	program_init(&p, "burst", STDIO_NULL_INPUT);
	usleep(300000);
	program_finish(&p, 0);
	CHECK("a slow reader gets all that came before EXIT", p.out_length == 65536 && p.out_exact);
	CHECK("EXIT counts though the monitor died right after it", p.code == 42);
	program_init(&p, "burst", STDIO_NULL_INPUT);
	int unread = p.out;
	p.out = -1;
	program_finish(&p, 0);
	CHECK("a reader that never reads does not keep it for ever", p.code == 42);
	close(unread);
}

static void survives_a_closed_stdout(void)
{
	program_init(&p, "flood", STDIO_NULL_INPUT);
	close(p.out);
	p.out = -1;
	program_finish(&p, 0);
	CHECK("with its reader gone, output is thrown away and the guest not disturbed",
	      p.code == 3 && p.err_length == 0);
	program_init(&p, "close-stdout", STDIO_NULL_INPUT);
	bool ended = program_expect(&p, p.out, "last\n") && !program_expect(&p, p.out, "never");
	CHECK("the guest's closing of stdout reaches the reader", ended && p.out == -1);
	kill(p.pid, SIGUSR1);
	program_finish(&p, 0);
	CHECK("and the session goes on", p.code == 8);
}

static void does_not_stall(void)
{
	program_init(&p, "stall", STDIO_PIPES);
	CHECK("stderr passes a stalled stdout", program_expect(&p, p.err, "stalled\n"));
	kill(p.pid, SIGUSR1);
	CHECK("signals pass a stalled stdout", program_expect(&p, p.err, "signalled\n"));
	program_finish(&p, 0);
	CHECK("nothing was lost", p.code == 5 && p.out_length == 1000000 && p.out_exact);
	program_init(&p, "notices", STDIO_PIPES);
	CHECK("notices that nobody reads do not stall it", program_expect(&p, p.out, "sent\n"));
	program_finish(&p, 0);
	CHECK("and do not grow without bounds", p.code == 2 && p.err_length >= 4096 && p.err_length <= 500000);
}

static bool forwards(int number)
{
	char line[16];

	snprintf(line, sizeof line, "\n%d\n", number);
	p.out_length = 0;
	memset(p.out_text, 0, sizeof p.out_text);
	p.out_text[p.out_length++] = '\n';
	kill(p.pid, number);
	return program_expect(&p, p.out, line);
}

static void forwards_signals(void)
{
	program_init(&p, "signals", STDIO_PIPES);
	bool all = program_expect(&p, p.out, "ready\n");

	for (int number = 1; number <= 64; number++) {
		if (number == SIGKILL || number == SIGSTOP || number == SIGCHLD)
			continue;
		if (!forwards(number)) {
			printf("# signal %d\n", number);
			all = false;
		}
	}
	CHECK("every signal from 1 to 64 is forwarded", all);
	CHECK("SIGCHLD is not",
	      forwards(SIGCONT) && kill(p.pid, SIGCHLD) == 0 && forwards(SIGCONT) && !strstr(p.out_text, "17"));
	program_finish(&p, 0);
	CHECK("and none of them ended it", p.code == 0);
}

static void queues_signals(void)
{
	program_init(&p, "signals", STDIO_PIPES);
	program_expect(&p, p.out, "ready\n");
	for (int i = 0; i < 500; i++)
		sigqueue(p.pid, 40, (union sigval){.sival_int = i});
	kill(p.pid, SIGUSR1); /* a lower number: delivered first, once */
	usleep(500000);
	program_finish(&p, 0);
	int count = 0;
	for (const char *at = p.out_text; (at = strstr(at, "40\n")); at++)
		count++;
	CHECK("500 queued real-time signals are 500", p.code == 0 && count == 500);
}

static void reports_the_monitor(void)
{
	program_init(&p, "die-with-code", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("a monitor that exits is 255 and a message",
	      p.code == 255 && strncmp(p.err_text, "dkvm: the monitor ended unexpectedly (exit code 3)\n", 51) == 0);
	CHECK("with the last 20 lines of its log, printable", strstr(p.err_text, "\nline 11?\n") &&
								      strstr(p.err_text, "\nline 30?\n") &&
								      !strstr(p.err_text, "line 10"));
	program_init(&p, "die-of-signal", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("a monitor that is killed is 255 and a message",
	      p.code == 255 && strstr(p.err_text, "dkvm: the monitor ended unexpectedly (signal 9)\n"));
	program_init(&p, "die-unaccepted", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("so is one that never took the session", p.code == 255 && strstr(p.err_text, "(exit code 4)"));
	program_init(&p, "die-after-output", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("output that came before is written", p.code == 255 && p.out_length == 60000 && p.out_exact);
	program_init(&p, "close-only", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("a monitor that hangs up and stays is 255 too",
	      p.code == 255 && strstr(p.err_text, "closed the session"));
	CHECK("and is killed", programs_all_gone());
	program_init(&p, "truncated", STDIO_PIPES);
	program_finish(&p, 0);
	CHECK("a frame cut short is a monitor that ended", p.code == 255 && strcmp(p.out_text, "before\n") == 0);
}

static void fails_to_start(void)
{
	char init[600];
	const char *argv[] = {init, "--socket", programs_socket, "--log", programs_log, "--", "/does/not/exist", NULL};
	int err[2];

	snprintf(init, sizeof init, "%s/dkvm-init", programs_build);
	for (int i = 0; i < 4; i++) {
		if (i == 1) {
			argv[2] = "/proc/nowhere/monitor.sock";
		} else if (i == 2) {
			argv[2] = programs_socket;
			argv[4] = "/proc/nowhere/monitor.log";
		} else if (i == 3) {
			argv[5] = NULL;
		}
		if (pipe2(err, O_CLOEXEC) < 0)
			exit(2);
		p = (struct program){.pid = program_spawn(argv, -1, -1, err[1]), .in = -1, .out = -1, .err = err[0]};
		close(err[1]);
		program_finish(&p, 0);
		static const char *const expected[] = {
			"dkvm: cannot run the monitor \"/does/not/exist\": No such file or directory\n",
			"dkvm: cannot listen on \"/proc/nowhere/monitor.sock\": No such file or directory\n",
			"dkvm: cannot open \"/proc/nowhere/monitor.log\": No such file or directory\n",
			"dkvm: usage: dkvm-init [--socket PATH] [--link PATH] [--log PATH] [--terminal qemu] "
			"[--starter PATH] "
			"[--network PATH] [--antispoof on] [--template DIRECTORY:BYTES] "
			"[--forward PATH] [--as NAME:UID:GID:CAPABILITIES]... -- MONITOR "
			"[ARGUMENT]...\n",
		};
		CHECK("a failure to start is 125 and a message", p.code == 125 && strcmp(p.err_text, expected[i]) == 0);
	}
}

static void distrusts_the_monitor(void)
{
	static const char *const hostile[] = {
		"oversized",  "huge",         "unknown",      "wrong-side",   "control",     "wrong-stream",
		"short-exit", "opened-twice", "late-refusal", "credit",       "credit-wrap", "credit-channel",
		"overflow",   "after-end",    "long-notice",  "early-output", "break"};

	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		program_init(&p, hostile[i], STDIO_PIPES);
		int in = p.in; /* stays open: no STDIN frame, no write error */
		p.in = -1;
		program_finish(&p, 0);
		close(in);
		CHECK(hostile[i], p.code == 255 && strstr(p.err_text, "dkvm: the monitor broke the protocol: "));
	}
}

static void dies_whole(void)
{
	program_init(&p, "signals", STDIO_PIPES);
	program_expect(&p, p.out, "ready\n");
	kill(p.pid, SIGKILL);
	CHECK("killed itself, it takes the monitor along", programs_all_gone());
	program_finish(&p, 0);
}

int main(void)
{
	programs_setup();
	relays_bytes();
	knows_its_stdin();
	prepares_the_monitor();
	drains_before_it_exits();
	survives_a_closed_stdout();
	does_not_stall();
	forwards_signals();
	queues_signals();
	reports_the_monitor();
	fails_to_start();
	distrusts_the_monitor();
	dies_whole();
	programs_cleanup();
	return check_end();
}
