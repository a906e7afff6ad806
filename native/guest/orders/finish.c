/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/finish.h"

#include "guest/kernel/cgroups.h"
#include "common/clock.h"
#include "guest/log.h"
#include "guest/setup/ownfiles.h"
#include "guest/setup/root.h"
#include "guest/process/members.h"
#include "guest/process/workload.h"

#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REAP_MILLIS = 10000 };

void finish_processes(void)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (int64_t deadline = now_millis() + REAP_MILLIS; now_millis() < deadline;) {
		kill(-1, SIGKILL);
		pid_t pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0 && errno == ECHILD)
			return;
		if (pid == 0)
			sigtimedwait(&child, NULL, &pause);
	}
	log_text(LOG_LEVEL_WARNING, "processes are left that do not die");
}

void finish_mounts(void)
{
	cgroups_release();
	if (workload_is_machine())
		root_make_writable();
	ownfiles_remove();
	root_unmount(members_were_there());
	sync();
}

_Noreturn void finish_power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
