/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/scout.h"

#include "guest/early.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int order = -1; /* what is written there sends it */
static int answer = -1;
static bool is_alone; /* the agent has nobody to send, and looks itself */

static void take_processor(uint32_t processors)
{
	cpu_set_t set;

	if (processors > CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(processors - 1, &set);
	sched_setaffinity(0, sizeof set, &set);
}

/* As a workload is started: in namespaces of its own, with a /proc, from a program. */
static void start_nothing(void)
{
	static char name[] = SCOUT_NAME;
	char *const argv[] = {name, NULL}, *const none[] = {NULL};
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		setsid();
		if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
			syscall(SYS_execveat, early.exe, "", argv, none, AT_EMPTY_PATH);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* The kernel is not told of the cards that came with the restore: it finds them when it looks, and is not long busy with an event. */
static void find_cards(void)
{
	write_text(early.sys, "bus/pci/rescan", "1");
}

static _Noreturn void run(int sent, int found, uint32_t processors)
{
	char byte;

	take_processor(processors);
	if (read(sent, &byte, 1) == 1) {
		find_cards();
		if (write(found, &byte, 1) == 1)
			start_nothing();
	}
	_exit(0);
}

int scout_open(uint32_t processors)
{
	int orders[2], answers[2];

	is_alone = processors < 2;
	if (is_alone)
		return 0;
	if (pipe2(orders, O_CLOEXEC) < 0)
		return -errno;
	order = orders[1];
	auto_close int sent = orders[0];
	if (pipe2(answers, O_CLOEXEC) < 0)
		return -errno;
	answer = answers[0];
	auto_close int found = answers[1];
	pid_t pid = fork();
	if (pid == 0) {
		close(order);
		run(sent, found, processors);
	}
	return pid < 0 ? -errno : 0;
}

void scout_send(void)
{
	/* one that has gone closes its end */
	if (order >= 0 && write(order, "", 1) < 0)
		close_clear(&answer);
	close_clear(&order);
}

void scout_wait(void)
{
	char byte;

	if (is_alone)
		find_cards();
	while (answer >= 0 && read(answer, &byte, 1) < 0 && errno == EINTR)
		;
	close_clear(&answer);
}
