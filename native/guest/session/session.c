/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/session.h"

#include "guest/session/awaited.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/files.h"
#include "guest/log.h"
#include "common/messages.h"
#include "guest/session/relay.h"
#include "guest/session/serial.h"
#include "guest/process/spawn.h"
#include "guest/process/sysinit.h"
#include "guest/session/terminal.h"

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

enum { HURRIED_DRAIN_MILLIS = 2000 };

static const struct session_events *tell;
static struct session table[SESSIONS_MAX];
static size_t opening; /* bytes of records held */
static int main_status = -1;
static bool main_seen, hurried;

void sessions_open(const struct session_events *events)
{
	tell = events;
}

static struct session *find(uint32_t stream)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (table[i].state != SESSION_FREE && table[i].state != SESSION_GHOST && table[i].stream == stream)
			return &table[i];
	return NULL;
}

static void drop_records(struct session *session)
{
	opening -= session->records_capacity;
	free(session->records);
	session->records = NULL;
	session->records_size = session->records_capacity = 0;
}

static void release(struct session *session)
{
	drop_records(session);
	loop_close(&session->status);
	loop_close(&session->reboots);
	close_clear(&session->console);
	relay_close(session);
	session->state = SESSION_FREE;
}

static struct session *take_place(void)
{
	struct session *ghost = NULL;

	for (int i = 0; i < SESSIONS_MAX; i++) {
		if (table[i].state == SESSION_FREE)
			return &table[i];
		if (table[i].state == SESSION_GHOST && (!ghost || table[i].stream < ghost->stream))
			ghost = &table[i];
	}
	if (ghost)
		release(ghost);
	return ghost;
}

static void refuse(uint32_t stream, uint8_t code, const char *text)
{
	uint8_t payload[1 + 1024];
	size_t size = strnlen(text, sizeof payload - 1);

	payload[0] = code;
	memcpy(payload + 1, text, size);
	channel_send(FRAME_REFUSED, stream, payload, (uint32_t)(1 + size));
}

static void refuse_session(struct session *session, uint8_t code, const char *text)
{
	bool is_main = session->stream == MAIN_STREAM;

	refuse(session->stream, code, text);
	release(session);
	if (is_main)
		tell->main_ended(-1, code);
}

void session_step(struct session *session)
{
	if (session->state == SESSION_GHOST && relay_output_closed(session))
		release(session);
	if (session->state != SESSION_RUNNING || !session->exited || !relay_output_ended(session)) {
		if (session->state == SESSION_RUNNING)
			relay_update(session);
		return;
	}
	if (session->stream == MAIN_STREAM) {
		session->state = SESSION_GHOST;
		tell->main_ended(main_status, session->exit_code);
		return;
	}
	const uint8_t payload[2] = {session->exit_code, 0};
	channel_send(FRAME_EXIT, session->stream, payload, sizeof payload);
	session->state = SESSION_GHOST;
	loop_close(&session->input.source);
	if (relay_output_closed(session))
		release(session);
	else
		relay_update(session);
}

static void started(struct session *session)
{
	uint8_t payload[4];

	loop_close(&session->status);
	session->state = SESSION_RUNNING;
	put_u32(payload, session->inner_pid);
	channel_send(FRAME_OPENED, session->stream, payload, sizeof payload);
	session->patience = session->stream == MAIN_STREAM ? now_millis() + AWAIT_MILLIS : 0;
	session_deliver(session);
	relay_start(session);
	if (session->exited) {
		relay_process_ended(session);
		session_step(session);
	}
}

static void attach_terminal(struct session *session, int master)
{
	int copy = fcntl(master, F_DUPFD_CLOEXEC, 3);

	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	if (session->machine)
		session->console = terminal_open_slave(master);
	if (session->elsewhere) {
		close_cleanup(&copy);
		serial_join(master);
		serial_resize(session->rows, session->columns);
		return;
	}
	if (session->gone || copy < 0) {
		close(master);
		close_cleanup(&copy);
		return;
	}
	relay_attach(session, copy, master, -1);
	terminal_resize(master, session->rows, session->columns);
}

/* As when reboot(2) ends a PID namespace: see has_rebooted. */
static void end_machine(int signal)
{
	struct session *session = find(MAIN_STREAM);

	if (session && session->machine && session->pid > 0)
		sessions_reaped(session->pid, signal);
}

static void reboots_ready(struct source *source, uint32_t events)
{
	int r = events & EPOLLIN ? sysinit_take_reboot(source->fd) : -ESRCH;

	if (r < 0) {
		loop_close(source);
	} else if (r > 0) {
		/* open to the end: whoever asked waits, and would else hear that the call is not there */
		loop_set(source, 0);
		source->fd = -1;
		end_machine(SIGINT);
	}
}

static void status_ready(struct source *source, uint32_t events)
{
	struct session *session = container_of(source, struct session, status);
	static struct report report;
	int fd;

	(void)events;
	int r = spawn_read_report(source->fd, &report, &fd);
	if (r == -EAGAIN)
		return;
	if (r == 0) {
		started(session);
		return;
	}
	if (report.kind == REPORT_FAILED) {
		close_cleanup(&fd);
		refuse_session(session, (uint8_t)report.number, report.text);
	} else if (report.kind == REPORT_TERMINAL && fd >= 0) {
		attach_terminal(session, fd);
	} else if (report.kind == REPORT_REBOOTS && fd >= 0) {
		loop_add(&session->reboots, fd, EPOLLIN, reboots_ready);
	} else if (report.kind == REPORT_PID) {
		session->inner_pid = report.number;
	}
}

static int start(struct session *session)
{
	struct process process;
	struct spawned spawned;
	char text[64];

	if (process_parse(session->records, session->records_size, &process) < 0)
		return -EPROTO;
	session->elsewhere = process.device[0] != '\0';
	if (session->elsewhere && session->stream != MAIN_STREAM)
		return -EPROTO;
	int r = session->elsewhere && !process.direct ? serial_open(process.device) : 0;
	if (r < 0) {
		char message[128];
		snprintf(message, sizeof message, MESSAGE_DEVICE, process.device, error_text(r, text));
		refuse_session(session, CODE_SETUP_FAILED, message);
		return 0;
	}
	r = spawn(&process, session->stream == MAIN_STREAM, &spawned);
	if (r < 0) {
		/* the PID namespace of a dead PID 1 takes no more processes */
		bool dead = r == -ENOMEM || r == -ESRCH;
		refuse_session(session, dead ? CODE_NOT_RUNNING : CODE_SETUP_FAILED,
			       dead ? MESSAGE_NOT_RUNNING : error_text(r, text));
		return 0;
	}
	drop_records(session);
	session->state = SESSION_STARTING;
	session->pid = spawned.pid;
	session->machine = spawned.machine;
	session->terminal = process.terminal;
	session->rows = process.rows;
	session->columns = process.columns;
	if (session->machine)
		tell->moved();
	loop_add(&session->status, spawned.status, EPOLLIN, status_ready);
	if (!session->terminal || session->elsewhere)
		relay_attach(session, spawned.input, spawned.output, spawned.error);
	return 0;
}

#pragma GCC diagnostic push
/* GCC 12 takes what realloc(3) gave back for lost once it is stored in the table */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"

/* One byte more than the records is kept: process_strings writes it. */
static int add_records(struct session *session, const uint8_t *bytes, size_t size)
{
	size_t needed = session->records_size + size + 1;

	if (session->records_size + size > PROCESS_MAX_RECORDS)
		return -EPROTO;
	if (needed > session->records_capacity) {
		size_t capacity = needed < 4096 ? 4096 : needed * 2;
		uint8_t *more = opening + capacity > OPENING_MAX ? NULL : realloc(session->records, capacity);
		if (!more)
			return -ENOMEM;
		opening += capacity - session->records_capacity;
		session->records = more;
		session->records_capacity = capacity;
	}
	memcpy(session->records + session->records_size, bytes, size);
	session->records_size += size;
	return 0;
}

#pragma GCC diagnostic pop

static struct session *create(uint32_t stream)
{
	struct session *session = take_place();

	if (!session)
		return NULL;
	memset(session, 0, sizeof *session);
	session->state = SESSION_OPENING;
	session->stream = stream;
	session->status.fd = session->reboots.fd = session->console = -1;
	relay_open(session);
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
		snprintf(text, sizeof text, MESSAGE_TOO_MANY, SESSIONS_MAX - 1);
		refuse(frame->stream, CODE_NOT_RUNNING, text);
		return 0;
	}
	main_seen = main_seen || is_main;
	int r = add_records(session, frame->payload + 1, frame->length - 1);
	if (r == -ENOMEM) {
		refused = last ? 0 : frame->stream;
		refuse_session(session, CODE_SETUP_FAILED, error_text(r, text));
		return 0;
	}
	return r < 0 ? r : last ? start(session) : 0;
}

static int take_close(struct session *session, const struct frame *frame)
{
	if (frame->length != 0)
		return -EPROTO;
	if (session->state == SESSION_OPENING) {
		release(session);
		return 0;
	}
	relay_client_gone(session);
	session_step(session);
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
		if (session->pid != pid || (session->state != SESSION_STARTING && session->state != SESSION_RUNNING))
			continue;
		session->pid = 0;
		session->exited = true;
		session->exit_code =
			(uint8_t)(WIFSIGNALED(status) ? CODE_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status));
		if (session->stream == MAIN_STREAM)
			main_status = status;
		if (session->state == SESSION_RUNNING) {
			relay_process_ended(session);
			session_step(session);
		}
		return;
	}
}

void sessions_room(void)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (table[i].state == SESSION_STARTING || table[i].state == SESSION_RUNNING)
			relay_update(&table[i]);
}

int sessions_tick(void)
{
	int64_t now = now_millis(), next = -1;

	for (int i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &table[i];
		if (session->state == SESSION_RUNNING && session->signals != 0) {
			session_deliver(session);
			next = session->signals != 0 ? AWAIT_STEP_MILLIS : next;
		}
		if (session->state != SESSION_RUNNING || !session->exited)
			continue;
		int64_t left = session->deadline - now;
		if (hurried && left > HURRIED_DRAIN_MILLIS)
			session->deadline = now + (left = HURRIED_DRAIN_MILLIS);
		if (left <= 0) {
			log_text(LOG_LEVEL_WARNING, "output of session %u is cut off", session->stream);
			relay_cut(session);
			session_step(session);
		} else if (next < 0 || left < next) {
			next = left;
		}
	}
	return (int)next;
}

void sessions_kill(void)
{
	struct session *session = find(MAIN_STREAM);

	hurried = true;
	if (session && session->machine)
		end_machine(SIGKILL);
	else if (session && session->pid > 0)
		kill(session->pid, SIGKILL);
}

void sessions_end(void)
{
	for (int i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &table[i];
		if (session->state == SESSION_RUNNING && session->exited) {
			relay_cut(session);
			session_step(session);
		}
		if (session->state != SESSION_FREE)
			release(session);
	}
}

bool sessions_have_main(void)
{
	return find(MAIN_STREAM) != NULL;
}
