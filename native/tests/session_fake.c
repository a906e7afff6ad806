/* SPDX-License-Identifier: Apache-2.0 */
#include "session_fake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void session_fault(const char *what)
{
	if (write(STDERR_FILENO, what, strlen(what)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(98);
	_exit(99);
}

static bool read_all(int fd, uint8_t *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = read(fd, p + got, n - got);

		if (r < 0 || (r == 0 && got > 0))
			session_fault("the client's connection broke off");
		if (r == 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

static void take_records(struct session *s, const struct frame *f)
{
	s->records = realloc(s->records, s->records_length + f->length);
	if (!s->records)
		session_fault("no memory");
	memcpy(s->records + s->records_length, f->payload + 1, f->length - 1);
	s->records_length += f->length - 1;
}

static void take_stdin(struct session *s, const struct frame *f)
{
	if (f->length > s->granted || f->length > FRAME_DATA_PAYLOAD)
		session_fault("STDIN beyond its credit");
	if (s->stdin_ended)
		session_fault("STDIN after its end");
	s->stdin_ended = f->length == 0;
	s->granted -= f->length;
	memcpy(s->inbox + s->waiting, f->payload, f->length);
	s->waiting += f->length;
}

static void take_credit(struct session *s, const struct frame *f)
{
	uint8_t channel = f->payload[0];

	if (f->length != 5 || channel < 1 || channel > 2)
		session_fault("bad CREDIT");
	s->credit[channel] += get_u32(f->payload + 1);
	if (s->credit[channel] > FRAME_CREDIT)
		session_fault("CREDIT beyond 65536");
}

static uint8_t take_frame(struct session *s)
{
	struct frame f;

	if (!read_all(s->fd, s->frame, FRAME_HEADER))
		return 0;
	uint32_t length = get_u32(s->frame);

	if (length > FRAME_MAX_PAYLOAD)
		session_fault("frame too long");
	if (length > 0 && !read_all(s->fd, s->frame + FRAME_HEADER, length))
		session_fault("frame cut short");
	if (frame_parse(s->frame, FRAME_HEADER + (size_t)length, &f) <= 0 || f.stream != 1)
		session_fault("bad frame");
	switch (f.type) {
	case FRAME_OPEN:
		take_records(s, &f);
		break;
	case FRAME_STDIN:
		take_stdin(s, &f);
		break;
	case FRAME_CREDIT_MORE:
		take_credit(s, &f);
		break;
	case FRAME_SIGNAL:
		s->last_signal = get_u32(f.payload);
		break;
	case FRAME_RESIZE:
		s->rows = get_u16(f.payload);
		s->columns = get_u16(f.payload + 2);
		s->resized = true;
		break;
	case FRAME_BREAK:
		if (f.length != 0)
			session_fault("bad BREAK");
		break;
	case FRAME_ATTACH:
		if (f.length != sizeof s->attach)
			session_fault("bad ATTACH");
		memcpy(s->attach, f.payload, sizeof s->attach);
		break;
	case FRAME_NETWORK_CHANGED:
		if (f.length != 0)
			session_fault("bad NETWORK_CHANGED");
		s->network_changes++;
		break;
	default:
		session_fault("unknown frame");
	}
	return f.type;
}

/* What happens to the network of whoever runs the tests is not their subject. */
uint8_t session_take(struct session *s)
{
	uint8_t type;

	do
		type = take_frame(s);
	while (type == FRAME_NETWORK_CHANGED && !s->network_wanted);
	return type;
}

void session_attach(struct session *s)
{
	memset(s, 0, sizeof *s);
	s->fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
	s->granted = s->credit[1] = s->credit[2] = FRAME_CREDIT;
	if (s->fd < 0 || session_take(s) != FRAME_ATTACH || s->attach[0] != PROTOCOL_VERSION)
		session_fault("no ATTACH");
	s->rows = get_u16(s->attach + 4);
	s->columns = get_u16(s->attach + 6);
}

void session_accept(struct session *s)
{
	session_attach(s);
	for (bool last = s->attach[1] == 0; !last; last = s->frame[FRAME_HEADER] == 1)
		if (session_take(s) != FRAME_OPEN)
			session_fault("something else before the end of OPEN");
}

void session_send(struct session *s, const void *bytes, size_t length)
{
	for (size_t sent = 0; sent < length;) {
		ssize_t n = write(s->fd, (const uint8_t *)bytes + sent, length - sent);

		if (n < 0)
			session_fault("cannot send");
		sent += (size_t)n;
	}
}

void session_put(struct session *s, uint8_t type, const void *payload, size_t length)
{
	uint8_t header[FRAME_HEADER];

	frame_header(header, type, 1, (uint32_t)length);
	session_send(s, header, sizeof header);
	session_send(s, payload, length);
}

void session_put_output(struct session *s, enum frame_channel channel, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;

	while (length > 0) {
		size_t n = length < FRAME_DATA_PAYLOAD ? length : FRAME_DATA_PAYLOAD;

		while (s->credit[channel] == 0)
			if (session_take(s) == 0)
				session_fault("the client left");
		if (n > s->credit[channel])
			n = s->credit[channel];
		session_put(s, (uint8_t)(FRAME_STDIN + channel), p, n);
		s->credit[channel] -= (uint32_t)n;
		p += n;
		length -= n;
	}
}

void session_consume(struct session *s, size_t n)
{
	uint8_t payload[5] = {CHANNEL_STDIN};

	put_u32(payload + 1, (uint32_t)n);
	s->granted += (uint32_t)n;
	s->waiting -= n;
	memmove(s->inbox, s->inbox + n, s->waiting);
	session_put(s, FRAME_CREDIT_MORE, payload, sizeof payload);
}

void session_opened(struct session *s)
{
	session_put(s, FRAME_OPENED, (uint8_t[]){1, 0, 0, 0}, 4);
}

void session_exit(struct session *s, uint8_t code)
{
	session_put(s, FRAME_EXIT, (uint8_t[]){code, 0}, 2);
}
