/* SPDX-License-Identifier: Apache-2.0 */
#include "common/channel.h"

#include "common/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { READ_PIECE = 32768 };

static const struct channel_events *tell;
static struct source port = {.fd = -1};
static bool attached;

static uint8_t out[CHANNEL_QUEUE];
static size_t out_start, out_end;
static bool out_was_full;

static uint8_t in[FRAME_HEADER + FRAME_MAX_PAYLOAD + READ_PIECE];
static size_t in_size;
static bool in_paused;

static size_t queued(void)
{
	return out_end - out_start;
}

static void make_space(size_t size)
{
	if (out_end + size <= sizeof out || out_start == 0)
		return;
	memmove(out, out + out_start, queued());
	out_end -= out_start;
	out_start = 0;
}

int channel_send(uint8_t type, uint32_t stream, const void *payload, uint32_t length)
{
	if (port.fd < 0)
		return -ENOTCONN;
	make_space(FRAME_HEADER + length);
	if (sizeof out - out_end < FRAME_HEADER + length)
		return -ENOBUFS;
	frame_header(out + out_end, type, stream, length);
	if (length > 0)
		memcpy(out + out_end + FRAME_HEADER, payload, length);
	out_end += FRAME_HEADER + length;
	return 0;
}

bool channel_has_room(void)
{
	if (port.fd >= 0 && queued() < CHANNEL_DATA_LIMIT)
		return true;
	out_was_full = true;
	return false;
}

uint8_t *channel_begin(void)
{
	make_space(FRAME_DATA_PAYLOAD);
	assert(sizeof out - out_end >= FRAME_DATA_PAYLOAD);
	return out + out_end + FRAME_HEADER;
}

void channel_commit(uint8_t type, uint32_t stream, uint32_t length)
{
	assert(length <= CHANNEL_DATA_FRAME);
	frame_header(out + out_end, type, stream, length);
	out_end += FRAME_HEADER + length;
}

static void broken(int error)
{
	loop_close(&port);
	tell->broken(error);
}

static int take_frames(void)
{
	size_t at = 0;

	while (queued() < CHANNEL_INPUT_LIMIT) {
		struct frame frame;
		long n = frame_parse(in + at, in_size - at, &frame);
		if (n <= 0) {
			if (n < 0)
				return (int)n;
			break;
		}
		at += (size_t)n;
		int r = tell->frame(&frame);
		if (r < 0)
			return r;
	}
	in_paused = queued() >= CHANNEL_INPUT_LIMIT;
	if (at > 0)
		memmove(in, in + at, in_size - at);
	in_size -= at;
	return 0;
}

/*
 * The port is watched edge-triggered: without a host at its other end poll(2) says readable and hung up all the
 * time, and read(2) gives 0, which here means no more than "nothing now".
 */
static void receive(void)
{
	while (!in_paused && port.fd >= 0) {
		ssize_t n = read(port.fd, in + in_size, READ_PIECE);
		if (n <= 0) {
			if (n == 0 && tell->closed)
				tell->closed();
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				broken(-errno);
			return;
		}
		in_size += (size_t)n;
		int r = take_frames();
		if (r < 0)
			broken(r);
	}
}

void channel_flush(void)
{
	while (port.fd >= 0 && queued() > 0) {
		ssize_t n = write(port.fd, out + out_start, queued());
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			broken(-errno);
		if (n <= 0)
			break;
		out_start += (size_t)n;
	}
	if (queued() == 0)
		out_start = out_end = 0;
	if (out_was_full && queued() < CHANNEL_DATA_LIMIT / 2) {
		out_was_full = false;
		tell->room();
	}
	if (in_paused && queued() < CHANNEL_INPUT_LIMIT / 2) {
		in_paused = false;
		int r = take_frames();
		if (r < 0)
			broken(r);
		receive();
	}
}

void channel_disown(void)
{
	port.fd = -1;
}

bool channel_is_empty(void)
{
	return port.fd < 0 || queued() == 0;
}

static void port_ready(struct source *source, uint32_t events)
{
	(void)source;
	if (!attached && !(events & EPOLLHUP)) {
		attached = true;
		tell->attached();
	}
	if (events & EPOLLOUT)
		channel_flush();
	if (events & (EPOLLIN | EPOLLHUP))
		receive();
}

int channel_open(int fd, const struct channel_events *events)
{
	tell = events;
	return loop_add(&port, fd, EPOLLIN | EPOLLOUT | EPOLLET, port_ready);
}
