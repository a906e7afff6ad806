/* SPDX-License-Identifier: Apache-2.0 */
/* PID 1 of the machine: takes orders over the agent channel. protocol/PROTOCOL.md. */
#include "common/channel.h"
#include "common/clock.h"
#include "guest/early.h"
#include "guest/log.h"
#include "common/loop.h"
#include "guest/kernel/processors.h"
#include "guest/orders/orders.h"
#include "guest/port.h"
#include "guest/process/reaper.h"
#include "guest/setup/scout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <unistd.h>

static int open_port(void)
{
	int sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int port = port_open(sys, dev);

	close(sys);
	close(dev);
	return port;
}

/*
 * A machine that is to be saved has its processors before that, and those that are restored from it start with them. Nobody speaks to it before it is saved: that it
 * will be stands at the end of the kernel's command line.
 */
static int prepare(char *argument)
{
	static const char name[] = "processors=";
	int r = 0;

	if (strncmp(argument, name, sizeof name - 1) == 0) {
		uint32_t wanted = (uint32_t)strtoul(argument + sizeof name - 1, NULL, 10);
		/* what is missing now would be missing in each machine that is made of this one */
		r = processors_set(wanted) < wanted ? -EAGAIN : scout_open(wanted);
	}
	/* nothing of it is to be seen in the list of processes */
	memset(argument, 0, strlen(argument));
	return r;
}

static _Noreturn void die(const char *what, int error)
{
	log_kernel("%s: %s", what, strerrordesc_np(-error));
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[0], REAPER_NAME) == 0)
		return reaper_run(argv + 2);
	if (strcmp(argv[0], SCOUT_NAME) == 0)
		return 0;
	early_named(argv[0]);
	int r = early_open();
	log_open();
	if (r < 0)
		die("early mounts", r);
	early_load_modules("modules.list");
	early_raise_limits();
	/* what the agent holds must not be read by a process that it forks into the workload's sight */
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	r = argc > 1 ? prepare(argv[1]) : 0;
	if (r < 0)
		die("scout", r);
	int port = open_port();
	if (port < 0)
		die("port dkvm.agent", port);
	r = loop_open();
	if (r == 0)
		r = orders_open(port);
	while (r == 0) {
		r = loop_wait(orders_tick());
		channel_flush();
	}
	die("loop", r);
}
