/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/serve/serve.h"

#include "common/channel.h"
#include "common/loop.h"
#include "common/session_socket.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *broken_what = "frames";

_Noreturn void serve_die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerrordesc_np(error < 0 ? -error : error));
	/* threads may be in calls: they end with the process */
	_exit(1);
}

static void attached(void)
{
	/* nothing that was written before is lost on a socket */
}

static _Noreturn void monitor_lost(void)
{
	_exit(0);
}

static void channel_broken(int error)
{
	if (error != -EPROTO)
		_exit(0);
	fprintf(stderr, "the guest broke the protocol of its %s\n", broken_what);
	_exit(1);
}

void serve_begin(void)
{
	/* nobody without CAP_SYS_PTRACE reads our memory, whatever user it is: see PR_SET_DUMPABLE in prctl(2) */
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
}

void serve_on(const struct service *service, int fd)
{
	static struct channel_events events;

	broken_what = service->what;
	events = (struct channel_events){attached, service->frame, service->room, channel_broken, monitor_lost};
	int r = channel_open(fd, &events);
	if (r < 0)
		serve_die("the monitor", r);
}

void serve_connect(const struct service *service, const char *monitor)
{
	int fd = session_socket_connect(monitor, 0);

	if (fd < 0)
		serve_die(monitor, fd);
	serve_on(service, fd);
}

_Noreturn void serve(const struct service *service)
{
	for (;;) {
		int next = service->tick();
		channel_flush();
		int r = loop_wait(next);
		if (r < 0)
			serve_die("loop", r);
		channel_flush();
	}
}
