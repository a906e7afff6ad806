/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/file_events.h"

#include "common/channel.h"
#include "common/files.h"
#include "common/loop.h"
#include "guest/kernel/sharepath.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define DEVICE "/dev/dkvm-events" /* of kernel/fuse-outside-events.patch */

enum {
	HEADER = 14, /* bytes of the device's messages */
	SAY_WATCHED = 1,
	UNANSWERED_MOST = 64, /* as protocol/PROTOCOL.md has it */
	WATCHES_MOST = 8192,
	COMPLAINTS = 8, /* failures that the log has */
};

static struct source device = {.fd = -1};
static uint32_t unanswered, complaints;
static bool own[WATCHES_MOST + 1]; /* numbers that dkvm-events knows nothing of */

static bool may_send(void)
{
	return unanswered < UNANSWERED_MOST && channel_has_room();
}

/* The kernel's own messages, and only those of its form are of consequence. */
static void pass_on(const void *message, size_t size)
{
	ssize_t n = write(device.fd, message, size);

	if (n < 0 && complaints < COMPLAINTS) {
		complaints++;
		log_text(LOG_LEVEL_WARNING, "events of files from outside are not understood");
	}
}

static void deal_with(uint32_t number)
{
	uint8_t message[HEADER] = {0};

	put_u32(message + 4, number);
	pass_on(message, sizeof message);
}

/* What is in a member's root nobody else changes: there is nothing to be watched outside. Returns whether it was such a one. */
static bool is_own(const uint8_t *message, bool watched)
{
	uint32_t number = get_u32(message + 4);

	if (number > WATCHES_MOST)
		return false;
	if (watched)
		own[number] = share_path_is_root(message + HEADER, get_u16(message + 12));
	return own[number];
}

static void say(const uint8_t *message)
{
	bool watched = get_u32(message) == SAY_WATCHED;

	if (is_own(message, watched))
		deal_with(get_u32(message + 4));
	else if (channel_send(watched ? FRAME_FILE_WATCH : FRAME_FILE_UNWATCH, get_u32(message + 4), message + HEADER,
			      watched ? get_u16(message + 12) : 0) == 0)
		unanswered++;
}

static void device_ready(struct source *source, uint32_t events)
{
	static uint8_t message[HEADER + PATH_MAX];

	(void)events;
	while (may_send()) {
		ssize_t n = read(source->fd, message, sizeof message);
		if (n < HEADER)
			return;
		say(message);
	}
	/* until an answer, or room */
	loop_set(source, 0);
}

static void go_on(void)
{
	if (device.fd >= 0 && may_send())
		loop_set(&device, EPOLLIN);
}

void file_events_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	/* the kernel gives it to one only; nobody need see that it is there */
	unlink(DEVICE);
	if (loop_add(&device, fd, EPOLLIN, device_ready) < 0)
		log_text(LOG_LEVEL_WARNING, "changes of files from outside are not heard");
}

static void complain(uint32_t number, uint32_t error)
{
	char text[64];

	if (error == 0 || complaints == COMPLAINTS)
		return;
	complaints++;
	log_text(LOG_LEVEL_INFO, "what others change in watch %u is not heard: %s", number,
		 error_text(-(int)error, text));
}

static int take_answer(const struct frame *frame)
{
	if (frame->length != 4 || unanswered == 0)
		return -EPROTO;
	unanswered--;
	complain(frame->stream, get_u32(frame->payload));
	deal_with(frame->stream);
	go_on();
	return 0;
}

int file_events_frame(const struct frame *frame)
{
	if (device.fd < 0)
		return -EPROTO;
	if (frame->type == FRAME_FILE_WATCHED)
		return take_answer(frame);
	if (frame->type != FRAME_FILE_EVENTS || frame->stream != 0 || frame->length > FRAME_DATA_PAYLOAD)
		return -EPROTO;
	pass_on(frame->payload, frame->length);
	return 0;
}

void file_events_room(void)
{
	go_on();
}

void file_events_end(void)
{
	loop_close(&device);
}
