/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/client_send.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	STREAM = 1,
	CREDIT_PIECE = 16384, /* bytes: given back at once; the rest of the credit keeps the sender going */
};

size_t client_send_room(const struct client *c)
{
	return sizeof c->send - (c->send_end - c->send_start);
}

bool client_send_waits(const struct client *c)
{
	return c->send_end > c->send_start;
}

/* Where the next bytes go; all the room lies behind it. */
static uint8_t *send_tail(struct client *c)
{
	if (c->send_start > 0) {
		c->send_end -= c->send_start;
		memmove(c->send, c->send + c->send_start, c->send_end);
		c->send_start = 0;
	}
	return c->send + c->send_end;
}

static bool put_frame(struct client *c, uint8_t type, const uint8_t *payload, uint32_t length)
{
	uint8_t *p = send_tail(c);

	if (client_send_room(c) < FRAME_HEADER + (size_t)length)
		return false;
	frame_header(p, type, STREAM, length);
	if (length > 0)
		memcpy(p + FRAME_HEADER, payload, length);
	c->send_end += FRAME_HEADER + (size_t)length;
	return true;
}

void client_send_attach(struct client *c)
{
	uint8_t payload[ATTACH_SIZE] = {PROTOCOL_VERSION, (uint8_t)c->role};
	uint16_t rows = 0;
	uint16_t columns = 0;

	if (c->terminal)
		window_size(STDIN_FILENO, &rows, &columns);
	payload[2] = (uint8_t)((c->terminal ? 1 : 0) | (c->stdin_open ? 2 : 0));
	put_u16(payload + 4, rows);
	put_u16(payload + 6, columns);
	put_u64(payload + 8, c->ignored_signals);
	put_u32(payload + 16, c->container);
	put_frame(c, FRAME_ATTACH, payload, sizeof payload);
}

void client_send_signal(struct client *c, uint32_t number)
{
	uint8_t payload[4];

	put_u32(payload, number);
	put_frame(c, FRAME_SIGNAL, payload, sizeof payload);
}

void client_send_update(struct client *c, uint64_t memory, uint32_t processors, uint64_t processes)
{
	uint8_t payload[20];

	put_u64(payload, memory);
	put_u32(payload + 8, processors);
	put_u64(payload + 12, processes);
	put_frame(c, FRAME_UPDATE, payload, sizeof payload);
}

static void put_resize(struct client *c)
{
	uint8_t payload[4];
	uint16_t rows;
	uint16_t columns;

	window_size(STDIN_FILENO, &rows, &columns);
	put_u16(payload, rows);
	put_u16(payload + 2, columns);
	if (put_frame(c, FRAME_RESIZE, payload, sizeof payload))
		c->resized = false;
}

static void put_resume(struct client *c)
{
	if (put_frame(c, FRAME_BREAK, NULL, 0)) {
		c->resume_due = false;
		c->paused = false;
	}
}

static void put_change(struct client *c)
{
	if (put_frame(c, FRAME_NETWORK_CHANGED, NULL, 0))
		c->change_due = false;
}

static void put_credit(struct client *c, enum frame_channel channel)
{
	uint8_t payload[5] = {(uint8_t)channel};

	if (c->owed[channel] < CREDIT_PIECE)
		return;
	put_u32(payload + 1, c->owed[channel]);
	if (put_frame(c, FRAME_CREDIT_MORE, payload, sizeof payload)) {
		c->granted[channel] += c->owed[channel];
		c->owed[channel] = 0;
	}
}

/* Pieces of the request, as many as fit. */
static void put_request(struct client *c)
{
	while (!c->request_sent && client_send_room(c) >= FRAME_HEADER + FRAME_DATA_PAYLOAD + CLIENT_SEND_RESERVE) {
		uint8_t *p = send_tail(c);
		size_t n = request_read(c->request, p + FRAME_HEADER + 1, FRAME_DATA_PAYLOAD - 1);

		c->request_sent = request_done(c->request);
		frame_header(p, FRAME_OPEN, STREAM, (uint32_t)n + 1);
		p[FRAME_HEADER] = c->request_sent ? 1 : 0;
		c->send_end += FRAME_HEADER + 1 + n;
	}
}

/* What is typed before the workload runs stays in the terminal: a shell may come first, whose it is then. */
static bool input_is_for_later(const struct client *c)
{
	return c->role == ROLE_MAIN && c->terminal && !c->opened;
}

bool client_input_wanted(const struct client *c)
{
	return c->end == CLIENT_RUNNING && c->stdin_open && !c->input_ended && c->request_sent && !c->send_failed &&
	       !input_is_for_later(c) && c->input_credit > 0 &&
	       client_send_room(c) >= FRAME_HEADER + FRAME_DATA_PAYLOAD + CLIENT_SEND_RESERVE;
}

void client_send_input(struct client *c)
{
	uint8_t *p = send_tail(c);
	size_t most = c->input_credit < FRAME_DATA_PAYLOAD ? c->input_credit : FRAME_DATA_PAYLOAD;
	ssize_t n = endpoint_read(&c->ends[CHANNEL_STDIN], p + FRAME_HEADER, most);

	if (n < 0)
		return;
	c->input_ended = n == 0;
	c->input_credit -= (uint32_t)n;
	frame_header(p, FRAME_STDIN, STREAM, (uint32_t)n);
	c->send_end += FRAME_HEADER + (size_t)n;
}

static void flush(struct client *c)
{
	while (client_send_waits(c)) {
		ssize_t n = send(c->socket, c->send + c->send_start, c->send_end - c->send_start,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			/* What the monitor said before it closed, REFUSED perhaps, is still to be read. */
			c->send_failed = true;
			c->request_sent = true;
			break;
		}
		c->send_start += (size_t)n;
	}
	c->send_start = 0;
	c->send_end = 0;
}

/* Due, but there was no room for it. */
static bool more_is_due(const struct client *c)
{
	return !c->request_sent || c->resized || c->resume_due || c->change_due ||
	       c->owed[CHANNEL_STDOUT] >= CREDIT_PIECE || c->owed[CHANNEL_STDERR] >= CREDIT_PIECE;
}

void client_send(struct client *c)
{
	if (c->end != CLIENT_RUNNING)
		return;
	/* Until the socket takes no more: then it is polled, and its room brings us back. */
	while (!c->send_failed) {
		put_request(c);
		if (c->request_sent && c->resized)
			put_resize(c);
		if (c->resume_due && !c->resized)
			put_resume(c);
		if (c->change_due)
			put_change(c);
		put_credit(c, CHANNEL_STDOUT);
		put_credit(c, CHANNEL_STDERR);
		flush(c);
		if (client_send_waits(c) || !more_is_due(c))
			return;
	}
}
