/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/shed.h"

#include "common/channel.h"
#include "common/files.h"
#include "guest/early.h"

#include <errno.h>
#include <unistd.h>

static pid_t worker; /* 0: none */

/*
 * Dentries and inodes that nobody uses go, and with them their pages; files that are open or mapped stay. "4" has the kernel
 * say nothing of it in its log. See Documentation/admin-guide/sysctl/vm.rst, "drop_caches".
 */
static void shed(void)
{
	static const char file[] = "sys/vm/drop_caches";

	write_text(early.proc, file, "4");
	write_text(early.proc, file, "2");
}

static void answer(void)
{
	channel_send(FRAME_SHED_DONE, 0, NULL, 0);
}

int shed_take(const struct frame *frame)
{
	if (frame->length != 0 || worker > 0)
		return -EPROTO;
	pid_t pid = fork();
	if (pid == 0) {
		shed();
		_exit(0);
	}
	if (pid < 0)
		answer();
	else
		worker = pid;
	return 0;
}

bool shed_reaped(pid_t pid)
{
	if (pid != worker)
		return false;
	worker = 0;
	answer();
	return true;
}
