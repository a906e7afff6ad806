/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-init and dkvm-exec on a terminal. */
#include "check.h"
#include "programs.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct program p;
static int slave;             /* held open, so that the terminal outlives the program */
static struct termios before; /* the terminal's mode before the program started */

/* As runc does it: a session of its own, the terminal its controlling one. */
static pid_t spawn_on_terminal(const char *const *argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(slave, fd);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(124);
}

static void start(bool exec, bool taken, const char *scenario)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	char program[600], fake[600];
	int master;

	if (openpty(&master, &slave, NULL, NULL, &size) < 0)
		exit(2);
	tcgetattr(slave, &before);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	p = (struct program){.in = -1, .out = master, .err = -1};
	snprintf(program, sizeof program, "%s/%s", programs_build, exec ? "dkvm-exec" : "dkvm-init");
	snprintf(fake, sizeof fake, "%s/fake_monitor", programs_build);
	if (exec) {
		p.monitor = program_fake(scenario);
		p.pid = spawn_on_terminal(
			(const char *[]){program, "--socket", programs_socket, "--tty", "--", "sh", NULL});
	} else if (taken) {
		unlink(programs_log);
		p.pid = spawn_on_terminal((const char *[]){program, "--socket", programs_socket, "--log", programs_log,
							   "--terminal", "qemu", "--", fake, scenario, NULL});
	} else {
		unlink(programs_log);
		p.pid = spawn_on_terminal((const char *[]){program, "--socket", programs_socket, "--log", programs_log,
							   "--", fake, scenario, NULL});
	}
}

static int finish(void)
{
	int status = 0;

	pid_t ended = 0;

	for (int i = 0; i < 1000 && (ended = waitpid(p.pid, &status, WNOHANG)) == 0; i++)
		usleep(10000);
	if (ended == 0) {
		kill(p.pid, SIGKILL);
		waitpid(p.pid, &status, 0);
	}
	if (p.monitor > 0) {
		kill(p.monitor, SIGKILL);
		waitpid(p.monitor, NULL, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_raw(const struct termios *mode)
{
	return !(mode->c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) && !(mode->c_oflag & OPOST) &&
	       !(mode->c_iflag & (ICRNL | IXON));
}

static void is_a_terminal(bool exec)
{
	struct termios during, after;
	struct winsize size = {.ws_row = 51, .ws_col = 132};

	start(exec, false, "terminal");
	CHECK("it attaches a terminal, with its size",
	      program_expect(&p, p.out, "attached 3\n") && program_expect(&p, p.out, "size 24 80\n"));
	tcgetattr(slave, &during);
	CHECK("the terminal is raw", !is_raw(&before) && is_raw(&during));
	ioctl(p.out, TIOCSWINSZ, &size);
	CHECK("a new size is passed on", program_expect(&p, p.out, "size 51 132\n"));
	CHECK("control-C is a byte",
	      write(p.out, "\3", 1) == 1 && program_expect(&p, p.out, "byte 3\n") && !strstr(p.out_text, "signal"));
	kill(p.pid, SIGINT);
	CHECK("a signal is a signal", program_expect(&p, p.out, "signal 2\n"));
	CHECK("a notice ends with a carriage return",
	      write(p.out, "q", 1) == 1 && program_expect(&p, p.out, "bye\r\n"));
	CHECK("the exit code is the guest's", finish() == 9);
	tcgetattr(slave, &after);
	CHECK("the terminal has its mode back", after.c_lflag == before.c_lflag && after.c_oflag == before.c_oflag &&
							after.c_iflag == before.c_iflag &&
							after.c_cflag == before.c_cflag);
	close(slave);
	close(p.out);
}

static void leaves_its_input_to_qemu(void)
{
	struct termios during, after;
	struct winsize size = {.ws_row = 51, .ws_col = 132};
	char key;

	start(false, true, "taken");
	CHECK("it attaches a terminal without input", program_expect(&p, p.out, "attached 1\n"));
	tcgetattr(slave, &during);
	CHECK("the terminal is raw for another program", !is_raw(&before) && is_raw(&during));
	fcntl(slave, F_SETFL, O_NONBLOCK);
	CHECK("a key is pressed", write(p.out, "k", 1) == 1);
	ioctl(p.out, TIOCSWINSZ, &size);
	CHECK("a new size is passed on", program_expect(&p, p.out, "size 51 132\n"));
	CHECK("the key is still there for the other program", read(slave, &key, 1) == 1 && key == 'k');
	kill(p.pid, SIGINT);
	CHECK("the exit code is the guest's", finish() == 9);
	tcgetattr(slave, &after);
	CHECK("the terminal has its mode back", after.c_lflag == before.c_lflag && after.c_oflag == before.c_oflag);
	close(slave);
	close(p.out);
}

static void restores_when_the_monitor_dies(void)
{
	struct termios after;

	start(false, false, "die-with-code");
	CHECK("the message is cooked again",
	      program_expect(&p, p.out, "dkvm: the monitor ended unexpectedly (exit code 3)\r\n") && finish() == 255);
	tcgetattr(slave, &after);
	CHECK("the mode is back after a failure", after.c_lflag == before.c_lflag && after.c_oflag == before.c_oflag);
	close(slave);
	close(p.out);
}

static void hangs_up(bool exec)
{
	start(exec, false, "hangup");
	close(slave);
	program_expect(&p, p.out, "ready\n");
	close(p.out);
	CHECK("a hang-up is SIGHUP and the end of stdin", finish() == 11);
}

static void type(const char *keys)
{
	if (write(p.out, keys, strlen(keys)) != (ssize_t)strlen(keys))
		exit(2);
}

static void pauses_in_a_shell(void)
{
	struct termios shell, after;
	struct winsize size = {.ws_row = 40, .ws_col = 100};

	start(false, false, "breaks");
	CHECK("a shell tells where it is",
	      program_expect(&p, p.out, "at \"prenet\" of the launch") && program_expect(&p, p.out, "dkvm prenet# "));
	type("stty -a >/dev/null; echo sum $((40 + 2))\n");
	CHECK("it does what it is told", program_expect(&p, p.out, "sum 42\r\n"));
	ioctl(p.out, TIOCSWINSZ, &size);
	type("stty size\n");
	CHECK("its terminal has the size of now", program_expect(&p, p.out, "40 100\r\n"));
	/* The signal may come before the wait begins, which has to end all the same, and before the child stopped
	   ignoring SIGTERM, as the shell does. */
	type("trap 'kill -9 %1 && echo inter''rupted' INT; sleep 1000 & echo in back''ground; wait\n");
	CHECK("keys that are signals", program_expect(&p, p.out, "in background"));
	type("\3");
	CHECK("reach it and nobody else", program_expect(&p, p.out, "interrupted"));
	type("stty -echo -onlcr; exit 3\n");
	CHECK("its end goes on with the launch, here to the next one", program_expect(&p, p.out, "dkvm preqemu# "));
	tcgetattr(slave, &shell);
	CHECK("which finds the terminal as the first one did",
	      shell.c_oflag == before.c_oflag && (shell.c_lflag & ISIG) == (before.c_lflag & ISIG));
	type("\4xyz");
	CHECK("what is typed after the end of the last one is the workload's",
	      program_expect(&p, p.out, "byte 120\n") && program_expect(&p, p.out, "byte 122\n"));
	CHECK("and nothing else", !strstr(p.out_text, "byte 4\n"));
	CHECK("it knows the size of now", program_expect(&p, p.out, "size 40 100\n"));
	tcgetattr(slave, &after);
	CHECK("the terminal is raw for it", is_raw(&after));
	type("q");
	CHECK("the exit code is the guest's", finish() == 9);
	close(slave);
	close(p.out);
}

static void ends_in_a_shell(void)
{
	start(false, false, "breaks");
	program_expect(&p, p.out, "dkvm prenet# ");
	kill(p.pid, SIGTERM);
	CHECK("a signal that ends the launch ends the shell", finish() == 143);
	close(slave);
	close(p.out);
	start(false, false, "late-break");
	CHECK("there is no shell beside a workload",
	      program_expect(&p, p.out, "broke the protocol: bad BREAK frame") && finish() == 255);
	close(slave);
	close(p.out);
}

int main(void)
{
	programs_setup();
	/* a shell that starts this in the background, without job control, has it ignored */
	signal(SIGINT, SIG_DFL);
	pauses_in_a_shell();
	ends_in_a_shell();
	is_a_terminal(false);
	is_a_terminal(true);
	leaves_its_input_to_qemu();
	restores_when_the_monitor_dies();
	hangs_up(false);
	hangs_up(true);
	programs_cleanup();
	return check_end();
}
