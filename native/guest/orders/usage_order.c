/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/usage_order.h"

#include "common/channel.h"
#include "common/clock.h"
#include "guest/early.h"
#include "guest/process/usage.h"
#include "guest/process/workload.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PATIENCE =
		3, /* seconds; the workload may serve the memory of its own processes, or its /etc/passwd, and not answer */
	STUCK_MILLIS = 4000, /* it is longer than that: stopped, or in a call that no signal ends */
};

static struct page {
	uint32_t size;
	uint8_t bytes[USAGE_MAX];
} * page; /* shared with the process that writes it */

static pid_t worker;         /* 0: none */
static int64_t worker_since; /* ms of now_millis() */

static int look(pid_t agent)
{
	const struct usage_view view = {early.proc, "/etc/passwd", workload_is_machine(), agent};

	alarm(PATIENCE);
	ssize_t n = usage_read(&view, page->bytes, sizeof page->bytes);
	page->size = n < 0 ? 0 : (uint32_t)n;
	return n < 0 ? 1 : 0;
}

/* Empty: it can not be told. */
static void answer(uint32_t size)
{
	if (size == 0 || channel_send(FRAME_USAGE, 0, page->bytes, size) < 0)
		channel_send(FRAME_USAGE, 0, NULL, 0);
}

/* The one before is answered when it is done. One that is never done, which its alarm should have ended, answers nobody. */
static int still_looking(void)
{
	if (now_millis() - worker_since < STUCK_MILLIS)
		return 0;
	kill(worker, SIGKILL);
	answer(0);
	return 0;
}

int usage_take(const struct frame *frame)
{
	if (frame->length != 0)
		return -EPROTO;
	if (worker > 0)
		return still_looking();
	if (!page) {
		void *got = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (got == MAP_FAILED) {
			answer(0);
			return 0;
		}
		page = got;
	}
	worker_since = now_millis();
	pid_t agent = getpid(), pid = fork();
	if (pid == 0)
		_exit(look(agent));
	if (pid < 0)
		answer(0);
	else
		worker = pid;
	return 0;
}

bool usage_reaped(pid_t pid, int status)
{
	if (pid != worker)
		return false;
	worker = 0;
	bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	answer(done && page->size <= USAGE_MAX ? page->size : 0);
	return true;
}
