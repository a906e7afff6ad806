/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/processors.h"

#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ONLINE_TRIES = 20 };

static const struct timespec online_pause = {.tv_nsec = 50 * 1000 * 1000};

/* Each takes the kernel some 100 ms of emulation, of which it waits a good part. By descriptor: /sys is on its way to the
 * new root meanwhile, and for a moment at neither path. */
static int switch_cpu(int cpu, const char *path, const char *to)
{
	char text[64];
	int r = -EIO;

	/* on a busy host one may not answer in time */
	for (int tries = 0; tries < ONLINE_TRIES && r < 0 && r != -EPERM && r != -EINVAL; tries++) {
		if (tries > 0)
			nanosleep(&online_pause, NULL);
		r = write_text(early.sys, path, to);
	}
	if (r < 0)
		log_kernel("processor %d does not go %s: %s", cpu, to[0] == '1' ? "online" : "offline",
			   error_text(r, text));
	return r;
}

uint32_t processors_set(uint32_t wanted)
{
	char path[64], state[4];
	uint32_t online = 1; /* processor 0 can not be offline */

	for (int cpu = 1;; cpu++) {
		snprintf(path, sizeof path, "devices/system/cpu/cpu%d/online", cpu);
		ssize_t n = read_text(early.sys, path, state, sizeof state);
		if (n == -ENOENT)
			return online;
		bool is_online = n > 0 && state[0] == '1', wants = online < wanted;
		if (is_online != wants && switch_cpu(cpu, path, wants ? "1" : "0") == 0)
			is_online = wants;
		online += is_online ? 1 : 0;
	}
}

pid_t processors_start(uint32_t wanted)
{
	pid_t pid = fork();

	if (pid == 0) {
		processors_set(wanted > 0 ? wanted : UINT32_MAX);
		_exit(0);
	}
	return pid < 0 ? -errno : pid;
}

void processors_wait(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
