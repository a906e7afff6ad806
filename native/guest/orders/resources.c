/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/resources.h"

#include "guest/kernel/cgroups.h"
#include "common/channel.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/kernel/processors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAYLOAD = 21 };

#define SPARE (16u << 20) /* bytes: what stays available when memory is taken away */

/* What LIMITS_DONE says, and the process ends with. */
enum result { DONE = 0, NO_PROCESSOR = 1, NO_LIMIT = 2, PIDS_FAILED = 3, IN_USE = 4, NO_PROCESS = 5 };

static pid_t worker; /* 0: none */

/*
 * Memory that is added comes online by itself, in a zone from which it can be taken away again as far as the kernel's own
 * part of the memory allows that.
 */
static void expect_memory(void)
{
	early_load_modules("modules-memory.list");
	write_text(early.sys, "devices/system/memory/auto_online_blocks", "online");
	write_text(early.sys, "module/memory_hotplug/parameters/online_policy", "auto-movable");
}

/* Whether so many bytes are free, or hold what can be read again: with more taken away the kernel would kill for memory. */
static bool is_available(uint64_t bytes)
{
	static const char name[] = "MemAvailable:";
	char text[1024];

	if (read_text(early.proc, "meminfo", text, sizeof text) < 0)
		return false;
	const char *found = strstr(text, name);
	return found && strtoull(found + sizeof name - 1, NULL, 10) * 1024 >= bytes + SPARE;
}

static enum result apply(const uint8_t *payload)
{
	uint32_t processors = get_u32(payload);
	uint64_t pids = get_u64(payload + 4), taken = get_u64(payload + 13);

	if (taken > 0 && !is_available(taken))
		return IN_USE;
	if (payload[12])
		expect_memory();
	if (pids > 0) {
		int r = cgroups_set_pids(pids);

		if (r < 0)
			return r == -ENOENT ? NO_LIMIT : PIDS_FAILED;
	}
	return processors > 0 && processors_set(processors) != processors ? NO_PROCESSOR : DONE;
}

static void answer(enum result result)
{
	const uint8_t payload[1] = {(uint8_t)result};

	channel_send(FRAME_LIMITS_DONE, 0, payload, sizeof payload);
}

int resources_take(const struct frame *frame)
{
	if (frame->length != PAYLOAD || frame->payload[12] > 1 || worker > 0)
		return -EPROTO;
	pid_t pid = fork();
	if (pid == 0)
		_exit(apply(frame->payload));
	if (pid < 0)
		answer(NO_PROCESS);
	else
		worker = pid;
	return 0;
}

bool resources_reaped(pid_t pid, int status)
{
	if (pid != worker)
		return false;
	worker = 0;
	answer(WIFEXITED(status) && WEXITSTATUS(status) <= NO_PROCESS ? (enum result)WEXITSTATUS(status) : NO_PROCESS);
	return true;
}
