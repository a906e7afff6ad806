/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/client_frames.h"

#include <string.h>

static enum client_end broken(struct client *c, const char *fault)
{
	c->fault = fault;
	return CLIENT_BROKEN;
}

/*
 * Text for our stderr. A raw terminal needs a carriage return at each line's end. One that finds no room is
 * dropped.
 */
static void put_text(struct client *c, const uint8_t *text, size_t length)
{
	uint8_t lines[2 * CLIENT_MAX_NOTICE];
	size_t used = 0;

	for (size_t i = 0; i < length && used + 2 <= sizeof lines; i++) {
		if (text[i] == '\n' && c->raw_mode.raw)
			lines[used++] = '\r';
		lines[used++] = text[i];
	}
	outlet_put(&c->notice_outlet, lines, used);
}

static enum client_end take_output(struct client *c, enum frame_channel channel, const struct frame *frame)
{
	if (!c->opened)
		return broken(c, "output before the process was started");
	if (c->output_ended[channel])
		return broken(c, "output after its end");
	if (frame->length == 0)
		c->output_ended[channel] = true;
	if (frame->length > c->granted[channel])
		return broken(c, "more output than credit");
	c->granted[channel] -= frame->length;
	/* Written or owed, all that is not granted has room: the outlet is as large as the whole credit. */
	if (!outlet_put(&c->outlets[channel], frame->payload, frame->length))
		return broken(c, "more output than room");
	return CLIENT_RUNNING;
}

static enum client_end take_credit(struct client *c, const struct frame *frame)
{
	if (frame->length != 5 || frame->payload[0] != CHANNEL_STDIN)
		return broken(c, "bad CREDIT frame");
	uint32_t more = get_u32(frame->payload + 1);

	if (more > FRAME_CREDIT - c->input_credit)
		return broken(c, "too much credit");
	c->input_credit += more;
	return CLIENT_RUNNING;
}

static enum client_end take_opened(struct client *c, const struct frame *frame)
{
	if (frame->length != 4 || c->opened)
		return broken(c, "bad OPENED frame");
	c->opened = true;
	return CLIENT_RUNNING;
}

static enum client_end take_refused(struct client *c, const struct frame *frame)
{
	if (frame->length < 1 || frame->length > 1 + CLIENT_MAX_TEXT || c->opened)
		return broken(c, "bad REFUSED frame");
	c->code = frame->payload[0];
	put_text(c, frame->payload + 1, frame->length - 1);
	put_text(c, (const uint8_t *)"\n", 1);
	return CLIENT_REFUSED;
}

/* Also without OPENED before: the machine may have ended on its way up. */
static enum client_end take_exit(struct client *c, const struct frame *frame)
{
	if (frame->length != 2)
		return broken(c, "bad EXIT frame");
	c->code = frame->payload[0];
	c->out_of_memory = (frame->payload[1] & EXIT_OUT_OF_MEMORY) != 0;
	return CLIENT_EXITED;
}

/* Only names of DKVM's own points: it becomes part of a prompt. */
static enum client_end take_break(struct client *c, const struct frame *frame)
{
	char point[CLIENT_MAX_POINT + 1] = "";

	if (!c->pause || c->opened || c->paused || frame->length < 1 || frame->length > CLIENT_MAX_POINT)
		return broken(c, "bad BREAK frame");
	for (uint32_t i = 0; i < frame->length; i++) {
		if (frame->payload[i] < 'a' || frame->payload[i] > 'z')
			return broken(c, "bad BREAK frame");
		point[i] = (char)frame->payload[i];
	}
	c->paused = true;
	c->pause(point);
	return CLIENT_RUNNING;
}

static enum client_end take_frame(struct client *c, const struct frame *frame)
{
	if (frame->stream != 1)
		return broken(c, "frame of another stream");
	switch (frame->type) {
	case FRAME_OPENED:
		return take_opened(c, frame);
	case FRAME_REFUSED:
		return take_refused(c, frame);
	case FRAME_STDOUT:
		return take_output(c, CHANNEL_STDOUT, frame);
	case FRAME_STDERR:
		return take_output(c, CHANNEL_STDERR, frame);
	case FRAME_CREDIT_MORE:
		return take_credit(c, frame);
	case FRAME_EXIT:
		return take_exit(c, frame);
	case FRAME_NOTICE:
		if (frame->length > CLIENT_MAX_NOTICE)
			return broken(c, "bad NOTICE frame");
		put_text(c, frame->payload, frame->length);
		return CLIENT_RUNNING;
	case FRAME_BREAK:
		return take_break(c, frame);
	default:
		return broken(c, "unknown frame");
	}
}

enum client_end client_take_frames(struct client *c)
{
	enum client_end how = CLIENT_RUNNING;
	size_t used = 0;

	while (how == CLIENT_RUNNING) {
		struct frame frame;
		long n = frame_parse(c->receive + used, c->received - used, &frame);

		if (n < 0)
			return broken(c, "frame too long");
		if (n == 0)
			break;
		used += (size_t)n;
		how = take_frame(c, &frame);
	}
	c->received -= used;
	memmove(c->receive, c->receive + used, c->received);
	return how;
}
