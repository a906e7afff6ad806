/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include "common/session_socket.h"
#include "session_fake.h"
#include "common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

char programs_socket[128], programs_log[128], programs_build[512];
static char directory[64];

void programs_setup(void)
{
	ssize_t length = readlink("/proc/self/exe", programs_build, sizeof programs_build - 1);

	strcpy(directory, "/tmp/dkvm-test-XXXXXX");
	if (length < 0 || !mkdtemp(directory))
		exit(2);
	*strrchr(programs_build, '/') = '\0';
	snprintf(programs_socket, sizeof programs_socket, "%s/run/monitor.sock", directory);
	snprintf(programs_log, sizeof programs_log, "%s/monitor.log", directory);
	/* posix_spawn(3), which starts us perhaps, leaves the C library's own signals ignored. */
	signals_reset(0);
	signal(SIGPIPE, SIG_IGN);
}

void programs_cleanup(void)
{
	char run[80];

	snprintf(run, sizeof run, "%s/run", directory);
	unlink(programs_socket);
	unlink(programs_log);
	rmdir(run);
	rmdir(directory);
}

pid_t program_spawn(const char *const *argv, int in, int out, int err)
{
	pid_t pid = fork();
	int ends[3] = {in, out, err};

	if (pid != 0)
		return pid;
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++) {
		if (ends[i] < 0)
			close(i);
		else
			dup2(ends[i], i);
	}
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(124);
}

static void make_pair(enum stdio_kind kind, int ends[2])
{
	int failed = kind == STDIO_SOCKETS ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
					   : pipe2(ends, O_CLOEXEC);

	if (failed)
		exit(2);
}

static void start(struct program *p, const char *const *argv, enum stdio_kind kind)
{
	int in[2] = {-1, -1}, out[2], err[2];

	if (kind == STDIO_NULL_INPUT)
		in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (kind != STDIO_CLOSED_INPUT)
		make_pair(kind, in);
	make_pair(kind, out);
	make_pair(kind, err);
	*p = (struct program){.in = in[1], .out = out[0], .err = err[0], .out_exact = true, .err_exact = true};
	if (kind == STDIO_SOCKETS) {
		in[1] = in[0];
		in[0] = p->in;
		p->in = in[1];
		in[1] = -1;
	}
	p->pid = program_spawn(argv, in[0], out[1], err[1]);
	if (in[0] >= 0)
		close(in[0]);
	close(out[1]);
	close(err[1]);
}

void program_init(struct program *p, const char *scenario, enum stdio_kind kind)
{
	char init[600], fake[600];

	unlink(programs_log);
	snprintf(init, sizeof init, "%s/dkvm-init", programs_build);
	snprintf(fake, sizeof fake, "%s/fake_monitor", programs_build);
	start(p, (const char *[]){init, "--socket", programs_socket, "--log", programs_log, "--", fake, scenario, NULL},
	      kind);
}

pid_t program_fake(const char *scenario)
{
	char fake[600];
	int listener = session_socket_listen(programs_socket);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (listener < 0)
		exit(2);
	snprintf(fake, sizeof fake, "%s/fake_monitor", programs_build);
	pid_t pid = program_spawn((const char *[]){fake, scenario, NULL}, listener, null, STDERR_FILENO);

	close(listener);
	close(null);
	return pid;
}

void program_exec(struct program *p, const char *scenario, enum stdio_kind kind, const char *const *arguments)
{
	static const char *argv[4096];
	char client[600];
	size_t n = 0;
	pid_t monitor = program_fake(scenario);

	snprintf(client, sizeof client, "%s/dkvm-exec", programs_build);
	argv[n++] = client;
	argv[n++] = "--socket";
	argv[n++] = programs_socket;
	while (*arguments)
		argv[n++] = *arguments++;
	argv[n] = NULL;
	start(p, argv, kind);
	p->monitor = monitor;
}

/* One read; false at the end. */
static bool drain(int *fd, char *text, uint64_t *length, bool *exact)
{
	static uint8_t bytes[65536];
	ssize_t n = read(*fd, bytes, sizeof bytes);

	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return false;
	}
	for (ssize_t i = 0; i < n; i++) {
		*exact = *exact && bytes[i] == pattern(*length);
		if (*length < 8191)
			text[*length] = (char)bytes[i];
		(*length)++;
	}
	return true;
}

static void feed_some(struct program *p, uint64_t *fed, uint64_t feed)
{
	uint8_t bytes[4096];
	size_t n = feed - *fed < sizeof bytes ? (size_t)(feed - *fed) : sizeof bytes;

	for (size_t i = 0; i < n; i++)
		bytes[i] = pattern(*fed + i);
	ssize_t written = n > 0 ? write(p->in, bytes, n) : -1;

	if (written > 0)
		*fed += (uint64_t)written;
	if (written < 0 || *fed == feed) {
		close(p->in);
		p->in = -1;
	}
}

static int wait_code(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < 6000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

void program_finish(struct program *p, uint64_t feed)
{
	uint64_t fed = 0;

	if (p->in >= 0 && feed == 0) {
		close(p->in);
		p->in = -1;
	}
	while (p->out >= 0 || p->err >= 0) {
		struct pollfd polls[3] = {{p->in, POLLOUT, 0}, {p->out, POLLIN, 0}, {p->err, POLLIN, 0}};

		if (poll(polls, 3, 60000) <= 0) {
			kill(p->pid, SIGKILL);
			break;
		}
		if (polls[0].revents)
			feed_some(p, &fed, feed);
		if (polls[1].revents)
			drain(&p->out, p->out_text, &p->out_length, &p->out_exact);
		if (polls[2].revents)
			drain(&p->err, p->err_text, &p->err_length, &p->err_exact);
	}
	if (p->in >= 0)
		close(p->in);
	p->code = wait_code(p->pid);
	if (p->monitor > 0) {
		kill(p->monitor, SIGKILL);
		waitpid(p->monitor, NULL, 0);
	}
}

bool program_expect(struct program *p, int fd, const char *text)
{
	char *have = fd == p->out ? p->out_text : p->err_text;
	uint64_t *length = fd == p->out ? &p->out_length : &p->err_length;
	bool *exact = fd == p->out ? &p->out_exact : &p->err_exact;

	while (!strstr(have, text)) {
		struct pollfd one = {fd, POLLIN, 0};

		if (poll(&one, 1, 60000) <= 0 || !drain(fd == p->out ? &p->out : &p->err, have, length, exact))
			return false;
	}
	return true;
}

bool programs_all_gone(void)
{
	int fd = open(programs_log, O_RDWR | O_CLOEXEC);
	bool gone = false;

	for (int i = 0; i < 500 && !(gone = flock(fd, LOCK_EX | LOCK_NB) == 0); i++)
		usleep(10000);
	close(fd);
	return gone;
}
