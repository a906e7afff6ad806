/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-events: watches files and directories of a container's mounts for programs of its guest that do, and tells what others change.
 *     dkvm-events MONITOR SHARE
 * MONITOR is the monitor's socket, over which the agent's frames come; SHARE has the slots. protocol/PROTOCOL.md, "File events".
 */
#include "common/channel.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/loop.h"
#include "sandbox/serve/serve.h"
#include "sandbox/share/slots.h"
#include "sandbox/events/watches.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	EVENTS = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE |
		 IN_DELETE_SELF | IN_MOVE_SELF,
	EVENT_HEADER = 14, /* bytes */
	READ_SIZE = 16384, /* bytes of events taken from the kernel at once */
	A_SECOND = 16384,  /* events that are told: more wait in the kernel, which says so when it drops them */
	BURST = 16384,     /* … at once */
	PAUSE_MILLIS = 50, /* before more are told */
	MILLIS_A_SECOND = 1000,
};

static struct source changes = {.fd = -1};
static int share = -1;

/* What is going to be told, in the form of the frame. */
static uint8_t told[CHANNEL_DATA_FRAME];
static uint32_t told_size;
static bool missed; /* something, for which the channel had no room, and has not said so */

static int64_t allowed = BURST, counted_at; /* events, ms */

static void answer(uint32_t number, int error)
{
	uint8_t payload[4];

	put_u32(payload, (uint32_t)-error);
	channel_send(FRAME_FILE_WATCHED, number, payload, sizeof payload);
}

static int watch(const char *path)
{
	char link[64];
	auto_close int fd = slots_open(share, path);

	if (fd < 0)
		return fd;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int descriptor = inotify_add_watch(changes.fd, link, EVENTS);
	return descriptor < 0 ? -errno : descriptor;
}

static int take_watch(const struct frame *frame)
{
	char path[PATH_MAX];

	if (frame->stream < 1 || frame->stream > WATCHES_MAX || watches_has(frame->stream) ||
	    frame->length >= sizeof path || memchr(frame->payload, '\0', frame->length))
		return -EPROTO;
	memcpy(path, frame->payload, frame->length);
	path[frame->length] = '\0';
	int descriptor = watch(path);
	if (descriptor > 0)
		watches_add(frame->stream, descriptor);
	answer(frame->stream, descriptor > 0 ? 0 : descriptor);
	return 0;
}

static int take_unwatch(const struct frame *frame)
{
	if (frame->stream < 1 || frame->stream > WATCHES_MAX || frame->length != 0)
		return -EPROTO;
	int descriptor = watches_remove(frame->stream);
	if (descriptor > 0)
		inotify_rm_watch(changes.fd, descriptor);
	answer(frame->stream, 0);
	return 0;
}

static int take_frame(const struct frame *frame)
{
	if (frame->type == FRAME_FILE_WATCH)
		return take_watch(frame);
	return frame->type == FRAME_FILE_UNWATCH ? take_unwatch(frame) : -EPROTO;
}

/* What one look at the host finds may be more than there is room for: each event is told to all numbers of its file. */
static void send_told(void)
{
	if (told_size > 0 && channel_send(FRAME_FILE_EVENTS, 0, told, told_size) < 0)
		missed = true;
	told_size = 0;
}

static void put_event(uint32_t mask, uint32_t number, uint32_t cookie, const char *name)
{
	size_t size = strnlen(name, NAME_MAX);

	if (told_size + EVENT_HEADER + size > sizeof told)
		send_told();
	uint8_t *at = told + told_size;
	put_u32(at, mask);
	put_u32(at + 4, number);
	put_u32(at + 8, cookie);
	put_u16(at + 12, (uint16_t)size);
	memcpy(at + EVENT_HEADER, name, size);
	told_size += EVENT_HEADER + (uint32_t)size;
	allowed--;
}

static void tell_missed(void)
{
	if (!missed || !channel_has_room())
		return;
	missed = false;
	put_event(IN_Q_OVERFLOW, 0, 0, "");
	send_told();
}

static void tell(const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		put_event(IN_Q_OVERFLOW, 0, 0, "");
		return;
	}
	uint32_t mask = event->mask & (EVENTS | IN_ISDIR);
	if (mask & EVENTS)
		for (uint32_t n = watches_next(event->wd, 0); n; n = watches_next(event->wd, n))
			put_event(mask, n, event->cookie, event->len > 0 ? event->name : "");
	if (event->mask & IN_IGNORED)
		watches_gone(event->wd);
}

static void count_time(void)
{
	int64_t now = now_millis();

	allowed += (now - counted_at) * A_SECOND / MILLIS_A_SECOND;
	allowed = allowed < BURST ? allowed : BURST;
	counted_at = now;
}

static void changes_ready(struct source *source, uint32_t events)
{
	_Alignas(struct inotify_event) static char bytes[READ_SIZE];

	(void)events;
	count_time();
	while (allowed > 0 && channel_has_room()) {
		ssize_t n = read(source->fd, bytes, sizeof bytes);
		if (n <= 0)
			break;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(bytes + at);
			tell(event);
			at += (ssize_t)(sizeof *event + event->len);
		}
		send_told();
	}
	if (allowed <= 0 || !channel_has_room())
		loop_set(source, 0);
}

/* Returns the milliseconds to the next look, -1: there is nothing to wait for but what the loop tells. */
static int tick(void)
{
	tell_missed();
	if (allowed > 0)
		return -1;
	count_time();
	if (allowed <= 0)
		return PAUSE_MILLIS;
	loop_set(&changes, EPOLLIN);
	return -1;
}

static void room(void)
{
	if (allowed > 0)
		loop_set(&changes, EPOLLIN);
}

static void open_all(const char *directory)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		serve_die("inotify", errno);
	share = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (share < 0)
		serve_die(directory, errno);
	counted_at = now_millis();
	int r = loop_open();
	if (r == 0)
		r = loop_add(&changes, fd, EPOLLIN, changes_ready);
	if (r < 0)
		serve_die("loop", r);
}

int main(int argc, char **argv)
{
	static const struct service service = {"file events", take_frame, room, tick};

	serve_begin();
	if (argc != 3) {
		fprintf(stderr, "dkvm-events MONITOR SHARE\n");
		return 2;
	}
	open_all(argv[2]);
	serve_connect(&service, argv[1]);
	serve(&service);
}
