/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-exec against fake monitors. */
#include "check.h"
#include "programs.h"

#include "common/frame.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct program p;
static const char *const cat[] = {"--", "cat", NULL};

static void relays_bytes(void)
{
	program_exec(&p, "echo", STDIO_PIPES, cat);
	program_finish(&p, 5000000);
	CHECK("bytes go both ways", p.out_length == 5000000 && p.out_exact && p.err_length == 5000000 && p.err_exact);
	CHECK("the exit code is the guest's", p.code == 7);
	program_exec(&p, "burst", STDIO_NULL_INPUT, cat);
	usleep(200000);
	program_finish(&p, 0);
	CHECK("output before EXIT is written", p.code == 42 && p.out_length == 65536 && p.out_exact);
}

static void forwards_signals(void)
{
	bool all = true;

	program_exec(&p, "signals", STDIO_PIPES, cat);
	all = program_expect(&p, p.out, "ready\n");
	for (int number = 1; number <= 64; number++) {
		char line[16];

		if (number == SIGKILL || number == SIGSTOP || number == SIGCHLD)
			continue;
		snprintf(line, sizeof line, "\n%d\n", number);
		kill(p.pid, number);
		all = program_expect(&p, p.out, line) && all;
	}
	program_finish(&p, 0);
	CHECK("signals are forwarded and kill nobody", all && p.code == 0);
}

static void is_refused(void)
{
	static char large[100001];
	const char *arguments[40] = {"--"};

	program_exec(&p, "refuse", STDIO_PIPES, cat);
	program_finish(&p, 0);
	CHECK("REFUSED is its text and its code",
	      p.code == 127 && strncmp(p.err_text, "exec: \"foo\": executable file not found in $PAT", 46) == 0 &&
		      p.err_text[p.err_length - 1] == '\n');
	memset(large, 'a', sizeof large - 1);
	for (int i = 1; i < 16; i++)
		arguments[i] = large;
	program_exec(&p, "refuse-early", STDIO_PIPES, arguments);
	program_finish(&p, 0);
	CHECK("also in the middle of OPEN", p.code == 126 && strcmp(p.err_text, "too long\n") == 0);
}

static void loses_the_monitor(void)
{
	static const char *const lost[] = {"die-of-signal", "close-only", "truncated", "die-after-output"};

	for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
		program_exec(&p, lost[i], STDIO_PIPES, cat);
		program_finish(&p, 0);
		CHECK(lost[i], p.code == 255 && strstr(p.err_text, "dkvm: the connection to the monitor was lost\n"));
	}
	CHECK("output that came before is written", p.out_length == 60000 && p.out_exact);
	program_exec(&p, "overflow", STDIO_PIPES, cat);
	program_finish(&p, 0);
	CHECK("a monitor that breaks the protocol is 255",
	      p.code == 255 &&
		      strcmp(p.err_text, "dkvm: the monitor broke the protocol: more output than credit\n") == 0);
}

static void waits_for_the_monitor(void)
{
	char client[600];
	int out[2];

	snprintf(client, sizeof client, "%s/dkvm-exec", programs_build);
	unlink(programs_socket);
	if (pipe2(out, O_CLOEXEC) < 0)
		exit(2);
	p = (struct program){.in = -1, .out = out[0], .err = -1, .out_exact = true};
	p.pid = program_spawn((const char *[]){client, "--socket", programs_socket, "--", "x", NULL}, -1, out[1],
			      STDERR_FILENO);
	close(out[1]);
	usleep(300000);
	p.monitor = program_fake("burst");
	program_finish(&p, 0);
	CHECK("it waits until the monitor listens", p.code == 42 && p.out_length == 65536);
	unlink(programs_socket);
	p = (struct program){.in = -1, .out = -1, .err = -1};
	p.pid = program_spawn((const char *[]){client, "--socket", programs_socket, "--", "x", NULL}, -1, -1, -1);
	program_finish(&p, 0);
	CHECK("but not for ever", p.code == 125);
}

/* The records that the fake gave back, each as "tag:bytes". */
static bool has_record(const uint8_t *bytes, size_t size, uint16_t tag, const void *value, size_t length)
{
	struct record record;
	long n;

	for (; (n = record_parse(bytes, size, &record)) > 0; bytes += n, size -= (size_t)n)
		if (record.tag == tag && record.length == length && memcmp(record.value, value, length) == 0)
			return true;
	return false;
}

static int count_records(const uint8_t *bytes, size_t size, uint16_t tag)
{
	struct record record;
	int count = 0;
	long n;

	for (; (n = record_parse(bytes, size, &record)) > 0; bytes += n, size -= (size_t)n)
		count += record.tag == tag;
	return n < 0 ? -1 : count;
}

static void asks_for_the_process(void)
{
	const char *arguments[] = {"--user",
				   "1000:4294967295",
				   "--groups",
				   "1,2,70000",
				   "--cwd",
				   "/a b",
				   "--caps",
				   "a80425fb:1:2:3:ffffffffffffffff",
				   "--no-new-privs",
				   "--rlimit",
				   "7:1024:18446744073709551615",
				   "--rlimit",
				   "0:1:2",
				   "--oom-score-adj",
				   "-500",
				   "--set-home",
				   "--umask",
				   "18",
				   "--",
				   "sh",
				   "",
				   "-c",
				   "--",
				   "\xff\n",
				   NULL};
	const uint8_t *records = (const uint8_t *)p.out_text;

	setenv("+HOME", "/root", 1);
	setenv("LD_PRELOAD", "", 1);
	setenv("+DKVM_TEST", "a=b", 1);
	signal(SIGHUP, SIG_IGN);
	program_exec(&p, "records", STDIO_NULL_INPUT, arguments);
	program_finish(&p, 0);
	signal(SIGHUP, SIG_DFL);
	size_t n = p.out_length < sizeof p.out_text ? (size_t)p.out_length : 0;

	CHECK("ignored signals", has_record(records, n, RECORD_IGNORED_SIGNALS, "\1\0\0\0\0\0\0\0", 8));
	CHECK("user and groups", has_record(records, n, RECORD_USER, "\xe8\3\0\0\xff\xff\xff\xff", 8) &&
					 has_record(records, n, RECORD_GROUPS, "\1\0\0\0\2\0\0\0\x70\x11\1\0", 12));
	CHECK("cwd", has_record(records, n, RECORD_CWD, "/a b", 4));
	CHECK("capabilities", has_record(records, n, RECORD_CAPABILITIES,
					 "\xfb\x25\x04\xa8\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0"
					 "\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
					 40));
	CHECK("no new privileges", has_record(records, n, RECORD_NO_NEW_PRIVILEGES, "\1", 1));
	CHECK("limits",
	      has_record(records, n, RECORD_RLIMIT, "\7\0\0\0\0\4\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 20) &&
		      has_record(records, n, RECORD_RLIMIT, "\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 20));
	CHECK("oom score and umask", has_record(records, n, RECORD_OOM_SCORE_ADJ, "\x0c\xfe\xff\xff", 4) &&
					     has_record(records, n, RECORD_UMASK, "\x12\0\0\0", 4));
	CHECK("stdin, no terminal",
	      has_record(records, n, RECORD_STDIN, "\0", 1) && count_records(records, n, RECORD_TERMINAL) == 0);
	CHECK("environment without HOME", has_record(records, n, RECORD_SET_HOME, "\1", 1) &&
						  has_record(records, n, RECORD_ENV, "DKVM_TEST=a=b", 13) &&
						  !has_record(records, n, RECORD_ENV, "HOME=/root", 10) &&
						  count_records(records, n, RECORD_ENV) == 1);
	CHECK("arguments, whatever bytes they hold",
	      count_records(records, n, RECORD_ARG) == 5 && has_record(records, n, RECORD_ARG, "", 0) &&
		      has_record(records, n, RECORD_ARG, "\xff\n", 2) && has_record(records, n, RECORD_ARG, "--", 2));
	program_exec(&p, "records", STDIO_PIPES, cat);
	program_finish(&p, 0);
	const char *in_member[] = {"--container", "4294967295", "--", "x", NULL};
	CHECK("no container but the first", count_records(records, (size_t)p.out_length, RECORD_CONTAINER) == 0);
	CHECK("no signal is ignored", count_records(records, (size_t)p.out_length, RECORD_IGNORED_SIGNALS) == 0);
	CHECK("HOME stays where it is not to be set",
	      has_record(records, (size_t)p.out_length, RECORD_ENV, "HOME=/root", 10) &&
		      has_record(records, (size_t)p.out_length, RECORD_STDIN, "\1", 1));
	program_exec(&p, "records", STDIO_PIPES, in_member);
	program_finish(&p, 0);
	CHECK("a pod's container, not as its first process",
	      has_record(records, (size_t)p.out_length, RECORD_CONTAINER, "\xff\xff\xff\xff\0", 5));
}

static void asks_for_much(void)
{
	static char large[100001];
	const char *arguments[40] = {"--"};
	char environment[60001];

	memset(large, 'a', sizeof large - 1);
	memset(environment, 'e', sizeof environment - 1);
	environment[sizeof environment - 1] = '\0';
	for (int i = 1; i <= 15; i++)
		arguments[i] = large;
	setenv("+DKVM_LARGE", environment, 1);
	program_exec(&p, "records", STDIO_NULL_INPUT, arguments);
	program_finish(&p, 0);
	unsetenv("+DKVM_LARGE");
	CHECK("1.5 MB of arguments arrive",
	      p.code == 0 && p.out_length > 15 * 100006 + 60011 && p.out_length < 15 * 100006 + 80000);
}

static void refuses_a_bad_command_line(void)
{
	static const char *const bad[][4] = {{"--user", "1", "--", "x"},
					     {"--user", "-1:1", "--", "x"},
					     {"--user", "1:4294967296", "--", "x"},
					     {"--cwd", "a", "--", "x"},
					     {"--caps", "1:2:3:4", "--", "x"},
					     {"--caps", "0x1:2:3:4:5", "--", "x"},
					     {"--rlimit", "99:1:1", "--", "x"},
					     {"--umask", "512", "--", "x"},
					     {"--groups", "1,,2", "--", "x"},
					     {"--oom-score-adj", "--5", "--", "x"},
					     {"--signal", "65", NULL, NULL},
					     {"--signal", "0", NULL, NULL},
					     {"--update", "1:2", NULL, NULL},
					     {"--update", "1:4294967296:3", NULL, NULL},
					     {"--update", "1:2:-3", NULL, NULL},
					     {"--usage", "x", NULL, NULL},
					     {"--container", "0", "--", "x"},
					     {"--container", "4294967296", "--", "x"},
					     {"--container", "2", NULL, NULL},
					     {"--member", "1", NULL, NULL},
					     {"--member", "2", "--", "x"},
					     {"--member", "2", "--tty", NULL},
					     {"--member", "2", "--usage", NULL},
					     {"--member", "2", "--no-new-privs", NULL},
					     {"--exhaust", "0", "--member", "2"},
					     {"--exhaust", "1", "--", "x"},
					     {"--what", "--", "x", NULL},
					     {"--tty", "--", NULL, NULL},
					     {"--user", NULL, NULL, NULL}};
	char client[600];
	int codes = 0;
	int count = (int)(sizeof bad / sizeof bad[0]);

	snprintf(client, sizeof client, "%s/dkvm-exec", programs_build);
	for (int i = 0; i < count; i++) {
		p = (struct program){.in = -1, .out = -1, .err = -1};
		p.pid = program_spawn((const char *[]){client, bad[i][0], bad[i][1], bad[i][2], bad[i][3], NULL}, -1,
				      -1, -1);
		program_finish(&p, 0);
		codes += p.code == 125;
	}
	CHECK("a bad command line is 125", codes == count);
}

int main(void)
{
	programs_setup();
	relays_bytes();
	forwards_signals();
	is_refused();
	loses_the_monitor();
	waits_for_the_monitor();
	asks_for_the_process();
	asks_for_much();
	refuses_a_bad_command_line();
	programs_cleanup();
	return check_end();
}
