/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* SIG_DFL and SIG_IGN as the kernel's numbers. */
enum { SIG_DEFAULT = 0, SIG_IGNORE = 1 };

/*
 * System calls, not the C library's functions: those leave signals 32 and 33 out, which glibc keeps for
 * its threads. These programs have none, and `docker kill --signal 33` shall arrive.
 */
static int set_mask(uint64_t mask)
{
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask) < 0 ? -errno : 0;
}

/*
 * Ignore those of the set and let the others have their default action. Returns which were ignored before. An
 * ignored SIGCHLD, inherited, would make the kernel throw exit codes away.
 */
static uint64_t set_actions(uint64_t ignored)
{
	uint64_t before = 0;

	for (int number = 1; number <= 64; number++) {
		const uint64_t bit = UINT64_C(1) << (number - 1);
		/* the kernel's struct sigaction: handler, flags, restorer, mask */
		const uint64_t action[4] = {(ignored & bit) ? SIG_IGNORE : SIG_DEFAULT};
		uint64_t old[4] = {0};

		syscall(SYS_rt_sigaction, number, action, old, sizeof(uint64_t));
		if (old[0] == SIG_IGNORE)
			before |= bit;
	}
	return before;
}

int signals_take(uint64_t *ignored)
{
	uint64_t every = UINT64_MAX;
	int error = set_mask(every);

	if (error < 0)
		return error;
	*ignored = set_actions(0);
	long fd = syscall(SYS_signalfd4, -1, &every, sizeof every, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : (int)fd;
}

void signals_reset(uint64_t ignored)
{
	set_actions(ignored);
	set_mask(0);
}
