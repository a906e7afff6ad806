/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/session.h"

#include "guest/session/awaited.h"
#include "common/clock.h"
#include "guest/session/relay.h"
#include "guest/session/serial.h"
#include "guest/session/terminal.h"

#include <errno.h>
#include <signal.h>

void session_deliver(struct session *session)
{
	for (int number = 1; session->signals != 0 && number <= 64; number++) {
		uint64_t bit = UINT64_C(1) << (number - 1);
		if (!(session->signals & bit))
			continue;
		int meant = number;
		if (session->stream == MAIN_STREAM && session->pid > 0)
			meant = signal_meant(session->pid, number);
		if (session->pid > 0 && now_millis() < session->patience && !signal_awaited(session->pid, meant))
			continue;
		session->signals &= ~bit;
		if (session->pid > 0)
			kill(session->pid, meant);
	}
}

static int take_signal(struct session *session, const struct frame *frame)
{
	uint32_t number = frame->length == 4 ? get_u32(frame->payload) : 0;

	if (number < 1 || number > 64)
		return -EPROTO;
	session->signals |= UINT64_C(1) << (number - 1);
	if (session->state == SESSION_RUNNING)
		session_deliver(session);
	return 0;
}

static int take_resize(struct session *session, const struct frame *frame)
{
	if (frame->length != 4)
		return -EPROTO;
	session->rows = get_u16(frame->payload);
	session->columns = get_u16(frame->payload + 2);
	if (session->elsewhere)
		serial_resize(session->rows, session->columns);
	else if (session->terminal && session->output[0].source.fd >= 0)
		terminal_resize(session->output[0].source.fd, session->rows, session->columns);
	return 0;
}

static int take_credit(struct session *session, const struct frame *frame)
{
	if (frame->length != 5 || frame->payload[0] < CHANNEL_STDOUT || frame->payload[0] > CHANNEL_STDERR)
		return -EPROTO;
	int r = credit_add(&session->output[frame->payload[0] - CHANNEL_STDOUT].credit, get_u32(frame->payload + 1));
	relay_update(session);
	return r;
}

static int take_stdin(struct session *session, const struct frame *frame)
{
	if (session->input.ended && !session->terminal)
		return -EPROTO;
	int r = credit_received(&session->input.window, frame->length);
	if (r == 0)
		relay_stdin(session, frame->payload, frame->length);
	return r;
}

int session_take(struct session *session, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_STDIN:
		return take_stdin(session, frame);
	case FRAME_CREDIT_MORE:
		return take_credit(session, frame);
	case FRAME_SIGNAL:
		return take_signal(session, frame);
	case FRAME_RESIZE:
		return take_resize(session, frame);
	default:
		return -EPROTO;
	}
}
