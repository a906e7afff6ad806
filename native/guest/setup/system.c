/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/system.h"

#include "common/clock.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int system_set_names(const struct machine *machine, struct setup_error *error)
{
	char text[64];
	struct span host = machine->hostname, domain = machine->domainname;

	if (host.size > 0 && sethostname((const char *)host.data, host.size) < 0)
		return setup_fail(error, -errno, "sethostname: %s", error_text(errno, text));
	if (domain.size > 0 && setdomainname((const char *)domain.data, domain.size) < 0)
		return setup_fail(error, -errno, "setdomainname: %s", error_text(errno, text));
	return 0;
}

void system_set_clock(uint64_t nanos, uint64_t received)
{
	char text[64];
	uint64_t now = nanos + (boot_nanos() - received);
	struct timespec time = {.tv_sec = (time_t)(now / 1000000000u), .tv_nsec = (long)(now % 1000000000u)};

	if (nanos > 0 && clock_settime(CLOCK_REALTIME, &time) < 0)
		log_text(LOG_LEVEL_WARNING, "the clock can not be set: %s", error_text(errno, text));
}

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

uint32_t system_set_cpus(uint32_t wanted)
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

pid_t system_online_cpus(uint32_t wanted)
{
	pid_t pid = fork();

	if (pid == 0) {
		system_set_cpus(wanted > 0 ? wanted : UINT32_MAX);
		_exit(0);
	}
	return pid < 0 ? -errno : pid;
}

void system_wait_for_cpus(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int apply(const struct record *record, struct setup_error *error)
{
	static char setting[PATH_MAX];
	char path[4 + PATH_MAX], text[64];

	if (span_copy((struct span){record->value, record->length}, setting, sizeof setting) < 0)
		return setup_fail(error, -ENAMETOOLONG, "a sysctl is too long");
	char *value = setting;
	strsep(&value, "="); /* machine_parse has seen that it is there */
	if (!value)
		return -EINVAL;
	snprintf(path, sizeof path, "sys/%s", setting);
	int r = sysctl_path(path + 4);
	if (r == 0)
		r = write_text(early.proc, path, value);
	if (r < 0)
		return setup_fail(error, r, "sysctl \"%s\" can not be set to \"%s\": %s", setting, value,
				  error_text(r, text));
	return 0;
}

int system_apply_sysctls(const struct machine *machine, struct setup_error *error)
{
	struct record record;
	size_t at = 0;
	int r = 0;

	while (r == 0 && machine_next(machine, RECORD_SYSCTL, &at, &record))
		r = apply(&record, error);
	return r;
}

bool system_ran_out_of_memory(void)
{
	static char counters[16 * 1024];

	if (read_text(early.proc, "vmstat", counters, sizeof counters) < 0)
		return false;
	const char *found = strstr(counters, "\noom_kill ");
	return found && strtoul(found + 10, NULL, 10) > 0;
}
