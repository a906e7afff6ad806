/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/container_limits.h"

#include "common/channel.h"
#include "guest/kernel/group.h"
#include "guest/process/members.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAYLOAD = 40 };

/* What CONTAINER_LIMITS_DONE says, and the process ends with. */
enum result { DONE = 0, NOT_THERE = 1, FAILED = 2 };

/* Those under way; pid 0: free. The monitor has one for each member at a time. */
static struct {
	pid_t pid;
	uint32_t number;
} workers[MEMBERS_MAX];

static void answer(uint32_t number, enum result result)
{
	uint8_t payload[5];

	put_u32(payload, number);
	payload[4] = (uint8_t)result;
	channel_send(FRAME_CONTAINER_LIMITS_DONE, 0, payload, sizeof payload);
}

static enum result apply(uint32_t number, const uint8_t *payload)
{
	const struct container limits = {
		.memory_limit = get_u64(payload + 4),
		.cpu_quota = get_u64(payload + 12),
		.cpu_period = get_u64(payload + 20),
		.cpu_weight = get_u32(payload + 28),
		.pids_limit = get_u64(payload + 32),
	};
	int r = group_change(number, &limits);

	return r == 0 ? DONE : r == -ENOENT ? NOT_THERE : FAILED;
}

int container_limits_take(const struct frame *frame)
{
	struct member *member;

	if (frame->length != PAYLOAD)
		return -EPROTO;
	uint32_t number = get_u32(frame->payload);
	if (members_find(number, &member) != MEMBER_GO) {
		answer(number, NOT_THERE);
		return 0;
	}
	for (int i = 0; i < MEMBERS_MAX; i++) {
		if (workers[i].pid != 0)
			continue;
		pid_t pid = fork();
		if (pid == 0)
			_exit(apply(number, frame->payload));
		if (pid < 0)
			break;
		workers[i].pid = pid;
		workers[i].number = number;
		return 0;
	}
	answer(number, FAILED);
	return 0;
}

bool container_limits_reaped(pid_t pid, int status)
{
	for (int i = 0; i < MEMBERS_MAX; i++) {
		if (workers[i].pid != pid)
			continue;
		workers[i].pid = 0;
		answer(workers[i].number,
		       WIFEXITED(status) && WEXITSTATUS(status) <= FAILED ? (enum result)WEXITSTATUS(status) : FAILED);
		return true;
	}
	return false;
}
