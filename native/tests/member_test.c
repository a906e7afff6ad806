/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-exec as PID 1 of a pod's member, against fake monitors. */
#include "check.h"
#include "programs.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static struct program p;
static const char *const member[] = {"--member", "7", NULL};

static void is_the_main_client(void)
{
	static const char *const exhausts[] = {"--exhaust", "67108864", "--member", "7", NULL};

	program_exec(&p, "out-of-memory", STDIO_NULL_INPUT, member);
	program_finish(&p, 0);
	CHECK("it attaches as the main client of its container, and opens nothing",
	      p.code == 137 && strcmp(p.out_text, "role 0 container 7\nflags 0 ignored 0\n") == 0);
	CHECK("nothing is exhausted that nobody told", p.err_length == 0);
	program_exec(&p, "out-of-memory", STDIO_PIPES, exhausts);
	program_finish(&p, 0);
	CHECK("the control group hears that memory ran out, and the code stays",
	      p.code == 137 && strcmp(p.err_text, "exhaust 67108864 for a while\n") == 0 &&
		      strstr(p.out_text, "flags 2 "));
	program_exec(&p, "burst", STDIO_PIPES, exhausts);
	program_finish(&p, 0);
	CHECK("and not when it did not", p.code == 42 && p.err_length == 0 && p.out_exact);
	program_exec(&p, "echo", STDIO_PIPES, member);
	program_finish(&p, 1000000);
	CHECK("bytes go both ways", p.code == 7 && p.out_length == 1000000 && p.out_exact && p.err_exact);
}

static void ends_with_its_vm(void)
{
	static const char *const lost[] = {"die-of-signal", "close-only", "truncated"};

	for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
		program_exec(&p, lost[i], STDIO_PIPES, member);
		program_finish(&p, 0);
		CHECK(lost[i], p.code == 255 && strcmp(p.err_text, "dkvm: the pod's VM has gone\n") == 0);
	}
	program_exec(&p, "refuse", STDIO_PIPES, member);
	program_finish(&p, 0);
	CHECK("REFUSED is its text and its code", p.code == 127 && strncmp(p.err_text, "exec: \"foo\"", 11) == 0);
	program_exec(&p, "break", STDIO_PIPES, member);
	program_finish(&p, 0);
	CHECK("a launch's break is not for it",
	      p.code == 255 && strcmp(p.err_text, "dkvm: the monitor broke the protocol: bad BREAK frame\n") == 0);
}

static void waits_for_its_vm(void)
{
	char client[600], expected[300];
	int err[2];

	snprintf(client, sizeof client, "%s/dkvm-exec", programs_build);
	snprintf(expected, sizeof expected,
		 "dkvm: cannot reach the pod's VM: nobody takes sessions at \"%s\": No such file or directory\n",
		 programs_socket);
	unlink(programs_socket);
	if (pipe(err) < 0)
		exit(2);
	p = (struct program){.in = -1, .out = -1, .err = err[0]};
	p.pid = program_spawn((const char *[]){client, "--socket", programs_socket, "--member", "2", NULL}, -1, -1,
			      err[1]);
	close(err[1]);
	program_finish(&p, 0);
	CHECK("it waits for the VM's sandbox, and says so when it gives up",
	      p.code == 125 && strcmp(p.err_text, expected) == 0);
}

static int count_children(pid_t pid)
{
	char path[64];
	int child, count = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	FILE *file = fopen(path, "r");
	while (file && fscanf(file, "%d", &child) == 1)
		count++;
	if (file)
		fclose(file);
	return count;
}

/* Within the namespace: 20 processes whose parent ends before them, as `runc exec` does. */
static void leave_orphans(int ready)
{
	for (int i = 0; i < 20; i++)
		if (fork() == 0) {
			if (fork() == 0)
				usleep(1000);
			_exit(0);
		}
	while (wait(NULL) > 0)
		continue;
	_exit(write(ready, "x", 1) == 1 ? 0 : 1);
}

/* The one between has the namespace's PID 1 as its child, and starts the others in it. */
static void is_pid_one(void)
{
	char client[600], byte;
	int in[2], out[2], ready[2], told[2];
	pid_t monitor = program_fake("signals");

	snprintf(client, sizeof client, "%s/dkvm-exec", programs_build);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0 ||
	    pipe2(told, O_CLOEXEC) < 0)
		exit(2);
	pid_t outer = fork();
	if (outer == 0) {
		int status;

		if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(77);
		pid_t init = fork();
		if (init == 0) {
			if (mount("proc", "/proc", "proc", 0, NULL) < 0)
				_exit(77);
			dup2(in[0], 0);
			dup2(out[1], 1);
			execl(client, client, "--socket", programs_socket, "--member", "2", (char *)NULL);
			_exit(124);
		}
		close(in[1]);
		if (write(told[1], &init, sizeof init) != sizeof init)
			_exit(78);
		if (fork() == 0)
			leave_orphans(ready[1]);
		/* its end waits for all of its namespace, our other child included */
		for (pid_t ended = 0; ended != init;)
			ended = wait(&status);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	close(in[0]);
	close(out[1]);
	close(ready[1]);
	p = (struct program){.pid = outer, .in = in[1], .out = out[0], .err = -1, .monitor = monitor};
	pid_t init = 0;
	bool all = read(told[0], &init, sizeof init) == sizeof init && read(ready[0], &byte, 1) == 1 &&
		   program_expect(&p, p.out, "ready\n");
	int left = 1;
	for (int i = 0; i < 500 && left > 0; i++) {
		left = count_children(init);
		usleep(10000);
	}
	CHECK("what runc left in its namespace is reaped", all && left == 0);
	CHECK("signals from outside reach the process", kill(init, SIGTERM) == 0 && program_expect(&p, p.out, "15\n"));
	program_finish(&p, 0);
	CHECK("its exit code is the process's", p.code == 0);
	close(told[0]);
	close(told[1]);
	close(ready[0]);
}

int main(void)
{
	programs_setup();
	is_the_main_client();
	ends_with_its_vm();
	waits_for_its_vm();
	if (geteuid() == 0)
		is_pid_one();
	programs_cleanup();
	return check_end();
}
