/* SPDX-License-Identifier: Apache-2.0 */
/* What a client takes from a monitor that means harm: random frames, cut at random places. */
#include "sandbox/client/client_frames.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

static struct client c;
static uint64_t seed = 88172645463325252u;

/* Xorshift: the same frames in every run. */
static uint32_t any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % below;
}

static void fresh(void)
{
	memset(&c, 0, sizeof c);
	for (int i = 0; i < 3; i++)
		c.ends[i] = (struct endpoint){.fd = -1, .original = -1, .dead = true};
	c.notice_outlet = (struct outlet){&c.ends[2], c.notices, sizeof c.notices, 0, 0};
	c.outlets[CHANNEL_STDOUT] = (struct outlet){&c.ends[1], c.output[0], FRAME_CREDIT, 0, 0};
	c.outlets[CHANNEL_STDERR] = (struct outlet){&c.ends[2], c.output[1], FRAME_CREDIT, 0, 0};
	c.granted[1] = c.granted[2] = FRAME_CREDIT;
	c.raw_mode.raw = any(2) == 0;
}

/* Mostly a frame that could be right. */
static size_t make_frame(uint8_t *p)
{
	static const uint8_t common[] = {FRAME_STDOUT, FRAME_STDERR, FRAME_NOTICE, FRAME_CREDIT_MORE};
	static const uint32_t edges[] = {0, 1, 2, 5, 1025, 4096, 4097, 32768, FRAME_MAX_PAYLOAD, FRAME_MAX_PAYLOAD + 1};
	uint8_t type = any(150) == 0 ? (uint8_t)(any(2) == 0 ? any(256) : FRAME_OPENED + any(13)) : common[any(4)];
	uint32_t length = any(60) == 0 ? edges[any(10)] : 1 + any(3000);

	if (type == FRAME_CREDIT_MORE)
		length = 5;
	if (type == FRAME_EXIT)
		length = 2;
	frame_header(p, type, any(300) == 0 ? any(3) : 1, length);
	if (length > FRAME_MAX_PAYLOAD)
		return FRAME_HEADER;
	for (uint32_t i = 0; i < length; i++)
		p[FRAME_HEADER + i] = (uint8_t)any(any(2) == 0 ? 3 : 256);
	if (type == FRAME_CREDIT_MORE && any(50) > 0) {
		p[FRAME_HEADER] = CHANNEL_STDIN;
		put_u32(p + FRAME_HEADER + 1, any(700));
	}
	return FRAME_HEADER + length;
}

static bool within_bounds(void)
{
	for (int i = 1; i < 3; i++)
		if (c.granted[i] + c.owed[i] + c.outlets[i].used != FRAME_CREDIT)
			return false;
	return c.input_credit <= FRAME_CREDIT && c.received < sizeof c.receive &&
	       c.notice_outlet.used <= CLIENT_NOTICE_SIZE;
}

/* One session; true when every bound held until it ended or 200 frames had come. */
static bool play(int *ends)
{
	static uint8_t stream[FRAME_HEADER + FRAME_MAX_PAYLOAD];
	enum client_end how = CLIENT_RUNNING;

	fresh();
	for (int frames = 0; frames < 200 && how == CLIENT_RUNNING; frames++) {
		size_t length = make_frame(stream);

		if (frames == 0)
			frame_header(stream, FRAME_OPENED, 1, (uint32_t)(length = 4)), length += FRAME_HEADER;
		for (size_t at = 0; at < length && how == CLIENT_RUNNING;) {
			size_t room = sizeof c.receive - c.received;
			size_t n = 1 + any((uint32_t)(length - at));

			n = n < room ? n : room;
			memcpy(c.receive + c.received, stream + at, n);
			c.received += n;
			at += n;
			how = client_take_frames(&c);
			if (how != CLIENT_BROKEN && !within_bounds())
				return false;
		}
		for (int i = 1; i < 3; i++) {
			size_t gone = outlet_flush(&c.outlets[i]);

			c.granted[i] += (uint32_t)gone; /* as if given back at once */
		}
	}
	ends[how]++;
	return how != CLIENT_BROKEN || c.fault;
}

int main(void)
{
	int ends[5] = {0};
	bool bounded = true;

	for (int session = 0; session < 1500; session++)
		bounded = play(ends) && bounded;
	CHECK("no stream of frames breaks a bound", bounded);
	CHECK("the streams were of every kind",
	      ends[CLIENT_RUNNING] > 20 && ends[CLIENT_EXITED] > 10 && ends[CLIENT_BROKEN] > 100);
	printf("# %d ran on, %d EXIT, %d REFUSED, %d protocol errors\n", ends[CLIENT_RUNNING], ends[CLIENT_EXITED],
	       ends[CLIENT_REFUSED], ends[CLIENT_BROKEN]);
	return check_end();
}
