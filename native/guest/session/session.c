/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/session.h"

#include "guest/session/awaited.h"
#include "guest/session/start.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/files.h"
#include "guest/log.h"
#include "common/messages.h"
#include "guest/process/kill.h"
#include "guest/session/serial.h"
#include "guest/process/spawn.h"
#include "guest/process/sysinit.h"
#include "guest/process/terminal.h"
#include "guest/process/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HURRIED_DRAIN_MILLIS = 2000, CLEAN_MILLIS = 90 * 1000 };

const struct session_events *session_tell;

void session_set_events(const struct session_events *events)
{
	session_tell = events;
}

bool session_is_main(const struct session *session)
{
	return session->relay.stream == MAIN_STREAM;
}

/* The first process of its container. */
bool session_is_first(const struct session *session)
{
	return session_is_main(session) || session->member;
}

void session_release(struct session *session)
{
	session_drop_records(session);
	free(session->refusal);
	session->refusal = NULL;
	if (session->member)
		member_release(session->member);
	session->member = NULL;
	loop_close(&session->reports);
	loop_close(&session->reboots);
	relay_close(&session->relay);
	session->state = SESSION_FREE;
}

void refuse_stream(uint32_t stream, uint8_t code, const char *text)
{
	uint8_t payload[1 + 1024];
	size_t size = strnlen(text, sizeof payload - 1);

	payload[0] = code;
	memcpy(payload + 1, text, size);
	channel_send(FRAME_REFUSED, stream, payload, (uint32_t)(1 + size));
}

/* Its container is over: it is killed, and taken away, before anybody is told. Where that can not be begun, session_tick tries again. */
static void end_member(struct session *session)
{
	struct member *member = session->member;

	session->state = SESSION_CLEANING;
	session->cleaned_by = now_millis() + CLEAN_MILLIS;
	member_kill(member);
	member_end(member);
	session_tell->settled(member->number);
}

static void say_exit(struct session *session, uint8_t flags)
{
	const uint8_t payload[2] = {session->exit_code, flags};

	channel_send(FRAME_EXIT, session->relay.stream, payload, sizeof payload);
	session->state = SESSION_GHOST;
	relay_close_input(&session->relay);
	if (relay_output_closed(&session->relay))
		session_release(session);
	else
		relay_update(&session->relay);
}

void session_refuse(struct session *session, uint8_t code, const char *text)
{
	bool was_main = session_is_main(session);

	if (session->member) {
		session->refusal = strdup(text);
		session->refusal_code = code;
		loop_close(&session->reports);
		end_member(session);
		return;
	}
	refuse_stream(session->relay.stream, code, text);
	session_release(session);
	if (was_main)
		session_tell->main_ended(-1, code);
}

/* After its process or an output has ended: over when both have. */
static void step(struct session *session)
{
	struct relay *relay = &session->relay;

	if (session->state == SESSION_GHOST && relay_output_closed(relay))
		session_release(session);
	if (session->state != SESSION_RUNNING || !session->exited || !relay_output_ended(relay)) {
		if (session->state == SESSION_RUNNING)
			relay_update(relay);
		return;
	}
	if (session_is_main(session)) {
		session->state = SESSION_GHOST;
		session_tell->main_ended(session->status, session->exit_code);
		return;
	}
	if (session->member)
		end_member(session);
	else
		say_exit(session, 0);
}

void session_cleaned(struct session *session, int status)
{
	bool ran_out = member_ended(session->member, status);

	member_release(session->member);
	session->member = NULL;
	if (session->refusal_code == 0) {
		say_exit(session, ran_out ? EXIT_OUT_OF_MEMORY : 0);
		return;
	}
	refuse_stream(session->relay.stream, session->refusal_code, session->refusal ? session->refusal : "");
	session_release(session);
}

static void output_ended(struct relay *relay)
{
	step(container_of(relay, struct session, relay));
}

void session_create(struct session *session, uint32_t stream)
{
	memset(session, 0, sizeof *session);
	session->state = SESSION_OPENING;
	session->reports.fd = session->reboots.fd = -1;
	relay_open(&session->relay, stream, output_ended);
	session->relay.first = session_is_main(session);
}

/* A process that has not come to its handlers yet has not come to rest. */
static void have_patience(struct session *session)
{
	int64_t now = now_millis();

	if (!session_is_first(session) || session->pid <= 0 || now >= session->patience_end)
		return;
	uint64_t work = signal_work(session->pid);
	if (work == session->work)
		return;
	session->work = work;
	session->patience = now + AWAIT_MILLIS < session->patience_end ? now + AWAIT_MILLIS : session->patience_end;
}

/* Pass on the signals that wait, but for those that a young PID 1 would lose. */
static void deliver(struct session *session)
{
	if (session->signals != 0)
		have_patience(session);
	for (int number = 1; session->signals != 0 && number <= 64; number++) {
		uint64_t bit = UINT64_C(1) << (number - 1);
		if (!(session->signals & bit))
			continue;
		int meant = number;
		if (session_is_first(session) && session->pid > 0)
			meant = signal_meant(session->pid, number);
		if (session->pid > 0 && now_millis() < session->patience && !signal_awaited(session->pid, meant))
			continue;
		session->signals &= ~bit;
		if (session->pid > 0)
			kill(session->pid, meant);
	}
}

void session_started(struct session *session)
{
	uint8_t payload[4];

	loop_close(&session->reports);
	if (session->member && session->inner_pid == 0) {
		session_refuse(session, CODE_SETUP_FAILED,
			       "the container's first process was killed while it was set up");
		return;
	}
	session->state = SESSION_RUNNING;
	put_u32(payload, session->inner_pid);
	channel_send(FRAME_OPENED, session->relay.stream, payload, sizeof payload);
	if (session->member) {
		session->member->up = true;
		session_tell->settled(session->container);
	}
	if (session_is_first(session)) {
		session->patience = now_millis() + AWAIT_MILLIS;
		session->patience_end = now_millis() + AWAIT_MOST_MILLIS;
	}
	deliver(session);
	relay_start(&session->relay);
	if (session->exited) {
		relay_process_ended(&session->relay);
		step(session);
	}
}

void session_close(struct session *session)
{
	if (session->state == SESSION_OPENING || session->state == SESSION_WAITING) {
		session_release(session);
		return;
	}
	/* nobody waits for an exec's end any more, or can: what stood for it outside has been killed */
	if (session->member)
		member_kill(session->member);
	else if (!session_is_main(session) && !session->exited && session->pid > 0)
		kill_session(session->pid);
	relay_client_gone(&session->relay);
	step(session);
}

static int take_signal(struct session *session, const struct frame *frame)
{
	uint32_t number = frame->length == 4 ? get_u32(frame->payload) : 0;

	if (number < 1 || number > 64)
		return -EPROTO;
	session->signals |= UINT64_C(1) << (number - 1);
	if (session->state == SESSION_RUNNING)
		deliver(session);
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
	else if (session->relay.terminal && session->relay.output[0].source.fd >= 0)
		terminal_resize(session->relay.output[0].source.fd, session->rows, session->columns);
	return 0;
}

static int take_credit(struct session *session, const struct frame *frame)
{
	if (frame->length != 5 || frame->payload[0] < CHANNEL_STDOUT || frame->payload[0] > CHANNEL_STDERR)
		return -EPROTO;
	int r = credit_add(&session->relay.output[frame->payload[0] - CHANNEL_STDOUT].credit,
			   get_u32(frame->payload + 1));
	relay_update(&session->relay);
	return r;
}

static int take_stdin(struct session *session, const struct frame *frame)
{
	if (session->relay.input.ended && !session->relay.terminal)
		return -EPROTO;
	int r = credit_received(&session->relay.input.window, frame->length);
	if (r == 0)
		relay_stdin(&session->relay, frame->payload, frame->length);
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

void session_reaped(struct session *session, int status)
{
	session->pid = 0;
	session->exited = true;
	session->status = status;
	session->exit_code = (uint8_t)(WIFSIGNALED(status) ? CODE_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status));
	/* what it leaves behind would keep its output open */
	if (session->member)
		member_kill(session->member);
	if (session->state == SESSION_RUNNING) {
		relay_process_ended(&session->relay);
		step(session);
	}
}

/* Returns the milliseconds to the end of its patience for output. */
static int64_t drain(struct session *session, int64_t now, bool hurried)
{
	int64_t left = session->relay.deadline - now;

	if (hurried && left > HURRIED_DRAIN_MILLIS)
		session->relay.deadline = now + (left = HURRIED_DRAIN_MILLIS);
	if (left > 0)
		return left;
	log_text(LOG_LEVEL_WARNING, "output of session %u is cut off", session->relay.stream);
	relay_cut(&session->relay);
	step(session);
	return -1;
}

/* What hangs, as a volume's server may, is left, and is not to keep the container's end from those who wait for it. */
static int64_t await_cleaner(struct session *session, int64_t now)
{
	if (member_end(session->member) < 0)
		return AWAIT_STEP_MILLIS;
	if (now < session->cleaned_by)
		return session->cleaned_by - now;
	kill(session->member->cleaner, SIGKILL);
	session_cleaned(session, SIGKILL);
	return -1;
}

int64_t session_tick(struct session *session, int64_t now, bool hurried)
{
	int64_t next = -1;

	if (session->state == SESSION_CLEANING)
		return await_cleaner(session, now);
	if (session->state == SESSION_RUNNING && session->signals != 0) {
		deliver(session);
		next = session->signals != 0 ? AWAIT_STEP_MILLIS : -1;
	}
	if (session->state != SESSION_RUNNING || !session->exited)
		return next;
	int64_t left = drain(session, now, hurried);
	return next < 0 || (left >= 0 && left < next) ? left : next;
}

void session_end(struct session *session)
{
	if (session->state == SESSION_RUNNING && session->exited && !session->member) {
		relay_cut(&session->relay);
		step(session);
	}
	if (session->state != SESSION_FREE)
		session_release(session);
}
