/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/system.h"

#include "common/clock.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/random.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int system_set_names(const struct machine *machine, struct failure *error)
{
	char text[64];
	struct span host = machine->hostname, domain = machine->domainname;

	if (host.size > 0 && sethostname((const char *)host.data, host.size) < 0)
		return fail(error, -errno, "sethostname: %s", error_text(errno, text));
	if (domain.size > 0 && setdomainname((const char *)domain.data, domain.size) < 0)
		return fail(error, -errno, "setdomainname: %s", error_text(errno, text));
	return 0;
}

int system_mix_in(const uint8_t *entropy, struct failure *error)
{
	struct {
		struct rand_pool_info info;
		uint8_t bytes[ENTROPY_SIZE];
	} pool = {.info = {.entropy_count = ENTROPY_SIZE * 8, .buf_size = ENTROPY_SIZE}};
	char text[64];

	if (!entropy)
		return 0;
	auto_close int fd = openat(early.root, "dev/urandom", O_RDWR | O_CLOEXEC);
	memcpy(pool.bytes, entropy, ENTROPY_SIZE);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		return fail(error, -errno, "random numbers can not be made new: %s", error_text(errno, text));
	return 0;
}

bool system_set_clock(uint64_t nanos, uint64_t received)
{
	char text[64];
	uint64_t now = nanos + (boot_nanos() - received);
	struct timespec time = {.tv_sec = (time_t)(now / 1000000000u), .tv_nsec = (long)(now % 1000000000u)};

	if (nanos == 0)
		return false;
	if (clock_settime(CLOCK_REALTIME, &time) < 0) {
		log_text(LOG_LEVEL_WARNING, "the clock can not be set: %s", error_text(errno, text));
		return false;
	}
	return true;
}

static int apply(const struct record *record, struct failure *error)
{
	static char setting[PATH_MAX];
	char path[4 + PATH_MAX], text[64];

	if (span_copy((struct span){record->value, record->length}, setting, sizeof setting) < 0)
		return fail(error, -ENAMETOOLONG, "a sysctl is too long");
	char *value = setting;
	strsep(&value, "="); /* machine_parse has seen that it is there */
	if (!value)
		return -EINVAL;
	snprintf(path, sizeof path, "sys/%s", setting);
	int r = sysctl_path(path + 4);
	if (r == 0)
		r = write_text(early.proc, path, value);
	if (r < 0)
		return fail(error, r, "sysctl \"%s\" can not be set to \"%s\": %s", setting, value,
			    error_text(r, text));
	return 0;
}

int system_apply_sysctls(const struct machine *machine, struct failure *error)
{
	struct record record;
	size_t at = 0;
	int r = 0;

	while (r == 0 && machine_next(machine, RECORD_SYSCTL, &at, &record))
		r = apply(&record, error);
	return r;
}

static unsigned long forgotten;

static unsigned long kills(void)
{
	static char counters[16 * 1024];

	if (read_text(early.proc, "vmstat", counters, sizeof counters) < 0)
		return 0;
	const char *found = strstr(counters, "\noom_kill ");
	return found ? strtoul(found + 10, NULL, 10) : 0;
}

bool system_ran_out_of_memory(void)
{
	return kills() > forgotten;
}

void system_forget_kills(void)
{
	forgotten = kills();
}
