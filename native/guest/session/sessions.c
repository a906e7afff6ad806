/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/sessions.h"

#include "common/clock.h"
#include "common/files.h"
#include "common/messages.h"
#include "guest/session/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

static struct session table[SESSIONS_MAX];
static bool main_seen, hurried;

static struct session *find(uint32_t stream)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (table[i].state != SESSION_FREE && table[i].state != SESSION_GHOST &&
		    table[i].relay.stream == stream)
			return &table[i];
	return NULL;
}

/* As when reboot(2) ends a PID namespace: see has_rebooted. */
static void end_machine(int signal)
{
	struct session *session = find(MAIN_STREAM);

	if (session && session->relay.sysinit && session->pid > 0)
		session_reaped(session, signal);
}

static void rebooted(void)
{
	end_machine(SIGINT);
}

static bool has_settled; /* a container, for which sessions may wait */

/* They are started by sessions_tick: who says so is at work on a session of its own. */
static void settled(uint32_t container)
{
	(void)container;
	has_settled = true;
}

static void start_waiting(void)
{
	has_settled = false;
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (table[i].state == SESSION_WAITING)
			session_start(&table[i]); /* its records have been read before */
}

void sessions_open(const struct sessions_events *events)
{
	static struct session_events told;

	told = (struct session_events){events->main_ended, events->moved, rebooted, settled};
	session_set_events(&told);
}

static struct session *take_place(void)
{
	struct session *ghost = NULL;

	for (int i = 0; i < SESSIONS_MAX; i++) {
		if (table[i].state == SESSION_FREE)
			return &table[i];
		if (table[i].state == SESSION_GHOST && (!ghost || table[i].relay.stream < ghost->relay.stream))
			ghost = &table[i];
	}
	if (ghost)
		session_release(ghost);
	return ghost;
}

static struct session *create(uint32_t stream)
{
	struct session *session = take_place();

	if (session)
		session_create(session, stream);
	return session;
}

static int take_open(const struct frame *frame)
{
	static uint32_t refused; /* its further pieces are passed over */
	struct session *session = find(frame->stream);
	bool is_main = frame->stream == MAIN_STREAM;
	char text[64];

	if (frame->length < 1 || frame->payload[0] > 1 || frame->stream == 0)
		return -EPROTO;
	bool last = frame->payload[0] == 1;
	if (!session && refused == frame->stream) {
		refused = last ? 0 : refused;
		return 0;
	}
	if (session ? session->state != SESSION_OPENING : is_main && main_seen)
		return -EPROTO;
	if (!session && !(session = create(frame->stream))) {
		refused = last ? 0 : frame->stream;
		snprintf(text, sizeof text, MESSAGE_TOO_MANY, EXECS_MAX);
		refuse_stream(frame->stream, CODE_NOT_RUNNING, text);
		return 0;
	}
	main_seen = main_seen || is_main;
	int r = session_add_records(session, frame->payload + 1, frame->length - 1);
	if (r == -ENOMEM) {
		refused = last ? 0 : frame->stream;
		session_refuse(session, CODE_SETUP_FAILED, error_text(r, text));
		return 0;
	}
	return r < 0 ? r : last ? session_start(session) : 0;
}

static int take_close(struct session *session, const struct frame *frame)
{
	if (frame->length != 0)
		return -EPROTO;
	session_close(session);
	return 0;
}

int sessions_frame(const struct frame *frame)
{
	if (frame->type == FRAME_OPEN)
		return take_open(frame);
	struct session *session = find(frame->stream);
	if (!session) /* it may have ended while this was under way */
		return 0;
	return frame->type == FRAME_CLOSE ? take_close(session, frame) : session_take(session, frame);
}

void sessions_reaped(pid_t pid, int status)
{
	for (int i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &table[i];
		if (session->pid == pid && (session->state == SESSION_STARTING || session->state == SESSION_RUNNING)) {
			session_reaped(session, status);
			return;
		}
		if (session->state == SESSION_CLEANING && session->member->cleaner == pid) {
			session_cleaned(session, status);
			return;
		}
	}
}

void sessions_room(void)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (table[i].state == SESSION_STARTING || table[i].state == SESSION_RUNNING)
			relay_update(&table[i].relay);
}

int sessions_tick(void)
{
	int64_t now = now_millis(), next = -1;

	if (has_settled)
		start_waiting();
	for (int i = 0; i < SESSIONS_MAX; i++) {
		int64_t left = session_tick(&table[i], now, hurried);
		if (left >= 0 && (next < 0 || left < next))
			next = left;
	}
	if (has_settled)
		next = 0;
	return (int)next;
}

void sessions_kill(void)
{
	struct session *session = find(MAIN_STREAM);

	hurried = true;
	if (session && session->relay.sysinit)
		end_machine(SIGKILL);
	else if (session && session->pid > 0)
		kill(session->pid, SIGKILL);
}

void sessions_end(void)
{
	members_forget_kills();
	for (int i = 0; i < SESSIONS_MAX; i++)
		session_end(&table[i]);
}

bool sessions_have_main(void)
{
	return find(MAIN_STREAM) != NULL;
}
