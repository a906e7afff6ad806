/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/locks/guestlocks.h"

#include "common/channel.h"
#include "common/files.h"
#include "common/lockframe.h"
#include "common/loop.h"
#include "guest/early.h"
#include "guest/kernel/sharepath.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEVICE "dkvm-locks" /* as the kernel names it in /proc/devices, and for a moment in the initramfs */

enum { DEVICES_SIZE = 8192 /* bytes */ };

static struct source device = {.fd = -1};

/* Returns 0 where the kernel has no such device. */
static unsigned int find_number(void)
{
	char text[DEVICES_SIZE], name[64];
	char *rest = text, *line;
	unsigned int number;

	if (read_text(early.proc, "devices", text, sizeof text) <= 0)
		return 0;
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%u %63s", &number, name) == 2 && strcmp(name, DEVICE) == 0)
			return number;
	return 0;
}

/* A lock in a member's root is this VM's only. It is given back here alone as well. Returns whether it was one. */
static bool is_own(const uint8_t *request, size_t size)
{
	uint8_t answer[LOCK_ANSWER] = {0};
	uint8_t operation = size < LOCK_FIXED ? LOCK_GIVE : request[LOCK_AT_OPERATION];
	char text[64];

	if ((operation != LOCK_TAKE && operation != LOCK_TEST) ||
	    !share_path_is_root(request + LOCK_FIXED, size - LOCK_FIXED))
		return false;
	put_u64(answer, get_u64(request + LOCK_AT_ID));
	put_u32(answer + LOCK_ANSWER_AT_ERROR, EOPNOTSUPP);
	if (write(device.fd, answer, sizeof answer) < 0)
		log_text(LOG_LEVEL_WARNING, "the answer to a lock: %s", error_text(errno, text));
	return true;
}

/* As many as the channel takes now; further ones wait in the kernel. */
static void pass_on(void)
{
	static uint8_t request[LOCK_FIXED + LOCK_PATH_MAX];
	ssize_t n = 0;

	while (channel_has_room() && (n = read(device.fd, request, sizeof request)) > 0)
		if (!is_own(request, (size_t)n))
			channel_send(FRAME_LOCK, 0, request, (uint32_t)n);
	loop_set(&device, channel_has_room() ? EPOLLIN : 0);
}

static void device_ready(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	pass_on();
}

/* It has no place in /dev, where the workload would see it. */
static int open_device(unsigned int number)
{
	if (mknodat(early.root, DEVICE, S_IFCHR | 0600, makedev(number, 0)) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(early.root, DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd;
	unlinkat(early.root, DEVICE, 0);
	return r;
}

void guest_locks_open(void)
{
	char text[64];
	unsigned int number = find_number();
	int fd = number == 0 ? -ENODEV : open_device(number);
	int r = fd < 0 ? fd : loop_add(&device, fd, EPOLLIN, device_ready);

	if (r < 0 && number != 0)
		log_text(LOG_LEVEL_WARNING, "locks of files do not hold outside of this VM: %s", error_text(r, text));
}

int guest_locks_frame(const struct frame *frame)
{
	char text[64];

	if (frame->stream != 0 || frame->length != LOCK_ANSWER || get_u64(frame->payload) == 0)
		return -EPROTO;
	if (device.fd >= 0 && write(device.fd, frame->payload, frame->length) < 0)
		log_text(LOG_LEVEL_WARNING, "the answer to a lock: %s", error_text(errno, text));
	return 0;
}

void guest_locks_room(void)
{
	if (device.fd >= 0)
		pass_on();
}

void guest_locks_end(void)
{
	static const uint8_t nothing_more[LOCK_ANSWER];

	if (device.fd < 0)
		return;
	/* closing would not do, while a child that has yet to call exec has it open */
	if (write(device.fd, nothing_more, sizeof nothing_more) < 0)
		log_text(LOG_LEVEL_WARNING, "locks can not be ended");
	loop_close(&device);
}
