/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-init as PID 1 of a PID namespace; needs root. */
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

/* Start dkvm-init as PID 1; with or without a /proc/self/fd that it can open stdio through. */
static void start(const char *scenario, bool reopens)
{
	char init[600], fake[600], network[600];
	int in[2], out[2], err[2];

	snprintf(init, sizeof init, "%s/dkvm-init", programs_build);
	snprintf(fake, sizeof fake, "%s/fake_monitor", programs_build);
	snprintf(network, sizeof network, "%s.network", programs_socket);
	unlink(programs_log);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		exit(2);
	pid_t outer = fork();

	if (outer == 0) {
		/* What is forked from here is PID 1. The process between passes its exit code on. */
		if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) < 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(77);
		pid_t inner = fork();

		if (inner == 0) {
			if (mount("proc", "/proc", "proc", 0, NULL) < 0 ||
			    (!reopens && mount("tmpfs", "/proc/1/fd", "tmpfs", 0, NULL) < 0))
				_exit(77);
			dup2(in[0], 0);
			dup2(out[1], 1);
			dup2(err[1], 2);
			if (strcmp(scenario, "network") == 0)
				execl(init, init, "--network", network, "--socket", programs_socket, "--log",
				      programs_log, "--", fake, scenario, network, (char *)NULL);
			execl(init, init, "--socket", programs_socket, "--log", programs_log, "--", fake, scenario,
			      (char *)NULL);
			_exit(124);
		}
		char pid[16];
		int status;

		snprintf(pid, sizeof pid, "%d\n", inner);
		close(in[1]);
		if (write(err[1], pid, strlen(pid)) < 0)
			_exit(78);
		close(err[1]);
		close(out[1]);
		waitpid(inner, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	p = (struct program){
		.pid = outer, .in = in[1], .out = out[0], .err = err[0], .out_exact = true, .err_exact = true};
}

int main(void)
{
	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	programs_setup();
	start("orphans", true);
	program_expect(&p, p.err, "\n");
	pid_t init = (pid_t)atoi(p.err_text);

	/* kill(0) would be the end of whoever runs the tests. */
	if (init <= 0) {
		CHECK("dkvm-init starts in a namespace of its own", false);
		return check_end();
	}
	CHECK("orphans are reaped", program_expect(&p, p.out, "zombies 21 pid1 1\n"));
	CHECK("signals from within the namespace are forwarded", program_expect(&p, p.out, "from within 12\n"));
	kill(init, SIGTERM);
	program_finish(&p, 0);
	CHECK("signals from outside too, and the exit code is the guest's", p.code == 6);
	CHECK("all that was left is killed", programs_all_gone());
	start("die-after-output", true);
	program_finish(&p, 0);
	CHECK("a dead monitor is 255", p.code == 255 && p.out_length == 60000 && p.out_exact);
	CHECK("and nothing is left", programs_all_gone());
	start("echo", false);
	program_finish(&p, 3000000);
	CHECK("without /proc/self/fd it relays as well", p.code == 7 && p.out_length == 3000000 && p.out_exact);
	start("stall", false);
	program_expect(&p, p.err, "\n");
	init = (pid_t)atoi(p.err_text);
	CHECK("nor does a stalled reader stop it", program_expect(&p, p.err, "stalled\n"));
	CHECK("signals included", init > 0 && kill(init, SIGUSR1) == 0 && program_expect(&p, p.err, "signalled\n"));
	program_finish(&p, 0);
	CHECK("and loses nothing", p.code == 5 && p.out_length == 1000000 && p.out_exact);
	start("network", true);
	program_expect(&p, p.err, "\n");
	program_finish(&p, 0);
	CHECK("a change of the network is told, and none without one",
	      p.code == 12 && strcmp(p.out_text, "changes 0\n") == 0);
	programs_cleanup();
	return check_end();
}
