/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int channel = -1;
struct frame frame;

static uint8_t bytes[4 * 1024 * 1024];
static size_t start, end;

void wire_accept(int listener)
{
	start = end = 0;
	channel = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

void wire_end(void)
{
	start = end = 0;
	close(channel);
	channel = -1;
}

void say(uint8_t type, uint32_t stream, const void *payload, uint32_t size)
{
	uint8_t header[FRAME_HEADER];

	frame_header(header, type, stream, size);
	if (send(channel, header, sizeof header, MSG_NOSIGNAL) < 0 ||
	    (size > 0 && send(channel, payload, size, MSG_NOSIGNAL) < 0))
		printf("# the program does not listen\n");
}

bool next_frame(void)
{
	long n;

	while ((n = frame_parse(bytes + start, end - start, &frame)) == 0) {
		struct pollfd wait = {.fd = channel, .events = POLLIN};
		memmove(bytes, bytes + start, end - start);
		end -= start;
		start = 0;
		ssize_t got = poll(&wait, 1, PATIENCE) == 1 ? read(channel, bytes + end, sizeof bytes - end) : 0;
		if (got <= 0)
			return false;
		end += (size_t)got;
	}
	start += n > 0 ? (size_t)n : 0;
	return n > 0;
}

bool is_silent(void)
{
	struct pollfd wait = {.fd = channel, .events = POLLIN};

	return start == end && poll(&wait, 1, 100) == 0;
}
