/* SPDX-License-Identifier: Apache-2.0 */
#include "common/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 64 };

static int epoll = -1;
static struct epoll_event batch[BATCH];
static int batch_size;

int loop_open(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return epoll < 0 ? -errno : 0;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(struct source *, uint32_t))
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	source->fd = fd;
	source->events = events;
	source->ready = ready;
	if (events == 0)
		return 0;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/*
 * epoll tells EPOLLHUP and EPOLLERR even to those who wait for nothing, so a source that waits for nothing is
 * taken out: a closed pipe that may not be read for want of credit must not spin the loop.
 */
void loop_set(struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (source->fd < 0 || source->events == events)
		return;
	int change = events == 0 ? EPOLL_CTL_DEL : source->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	if (epoll_ctl(epoll, change, source->fd, &event) == 0)
		source->events = events;
}

void loop_close(struct source *source)
{
	if (source->fd < 0)
		return;
	/* a child that has not yet called exec may hold the same file open: closing alone would not take it out */
	loop_set(source, 0);
	for (int i = 0; i < batch_size; i++)
		if (batch[i].data.ptr == source)
			batch[i].data.ptr = NULL;
	close(source->fd);
	source->fd = -1;
}

int loop_wait(int timeout)
{
	batch_size = epoll_wait(epoll, batch, BATCH, timeout);
	if (batch_size < 0) {
		batch_size = 0;
		return errno == EINTR ? 0 : -errno;
	}
	for (int i = 0; i < batch_size; i++) {
		struct source *source = batch[i].data.ptr;
		if (source)
			source->ready(source, batch[i].events);
	}
	batch_size = 0;
	return 0;
}
