/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/session.h"

#include "guest/session/awaited.h"
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

enum { HURRIED_DRAIN_MILLIS = 2000, EXIT_OUT_OF_MEMORY = 1 };

static const struct session_events *tell;
static size_t opening; /* bytes of records held */

void session_set_events(const struct session_events *events)
{
	tell = events;
}

static bool is_main(const struct session *session)
{
	return session->relay.stream == MAIN_STREAM;
}

/* The first process of its container. */
static bool is_first(const struct session *session)
{
	return is_main(session) || session->member;
}

static void drop_records(struct session *session)
{
	opening -= session->records_capacity;
	free(session->records);
	session->records = NULL;
	session->records_size = session->records_capacity = 0;
}

void session_release(struct session *session)
{
	drop_records(session);
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
	member_kill(member);
	member_end(member);
	tell->settled(member->number);
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
	bool was_main = is_main(session);

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
		tell->main_ended(-1, code);
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
	if (is_main(session)) {
		session->state = SESSION_GHOST;
		tell->main_ended(session->status, session->exit_code);
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
	session->relay.first = is_main(session);
}

/* A process that has not come to its handlers yet has not come to rest. */
static void have_patience(struct session *session)
{
	int64_t now = now_millis();

	if (!is_first(session) || session->pid <= 0 || now >= session->patience_end)
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
		if (is_first(session) && session->pid > 0)
			meant = signal_meant(session->pid, number);
		if (session->pid > 0 && now_millis() < session->patience && !signal_awaited(session->pid, meant))
			continue;
		session->signals &= ~bit;
		if (session->pid > 0)
			kill(session->pid, meant);
	}
}

static void started(struct session *session)
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
		tell->settled(session->container);
	}
	if (is_first(session)) {
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

static void attach_terminal(struct session *session, int master)
{
	int copy = fcntl(master, F_DUPFD_CLOEXEC, 3);

	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	if (session->relay.sysinit)
		session->relay.console = terminal_open_slave(master);
	if (session->elsewhere) {
		close_cleanup(&copy);
		serial_join(master);
		serial_resize(session->rows, session->columns);
		return;
	}
	if (session->relay.gone || copy < 0) {
		close(master);
		close_cleanup(&copy);
		return;
	}
	relay_attach(&session->relay, copy, master, -1);
	terminal_resize(master, session->rows, session->columns);
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
		tell->rebooted();
	}
}

static void report_ready(struct source *source, uint32_t events)
{
	struct session *session = container_of(source, struct session, reports);
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
		session_refuse(session, (uint8_t)report.number, report.text);
	} else if (report.kind == REPORT_TERMINAL && fd >= 0) {
		attach_terminal(session, fd);
	} else if (report.kind == REPORT_REBOOTS && fd >= 0) {
		loop_add(&session->reboots, fd, EPOLLIN, reboots_ready);
	} else if (report.kind == REPORT_PID) {
		session->inner_pid = report.number;
	}
}

/* A process of a container other than the VM's first. Returns 1: start it, 0: not now, or -EPROTO. */
static int take_container(struct session *session, const struct process *process, struct member **member)
{
	char text[64];

	if (is_main(session))
		return -EPROTO;
	session->container = process->container;
	enum member_answer answer = process->begins_container ? members_begin(process->container, member)
							      : members_find(process->container, member);
	switch (answer) {
	case MEMBER_GO:
		break;
	case MEMBER_WAIT:
		session->state = SESSION_WAITING;
		return 0;
	case MEMBER_GONE:
		session_refuse(session, CODE_NOT_RUNNING, MESSAGE_NOT_RUNNING);
		return 0;
	case MEMBER_TOO_MANY:
		snprintf(text, sizeof text, "too many containers: %d are running", MEMBERS_MAX);
		session_refuse(session, CODE_SETUP_FAILED, text);
		return 0;
	case MEMBER_WRONG:
		return -EPROTO;
	}
	if (process->begins_container) {
		session->member = *member;
		session->relay.first = true;
	}
	if (session->member && workload_first() <= 0) {
		session_refuse(session, CODE_NOT_RUNNING, MESSAGE_NOT_RUNNING);
		return 0;
	}
	return 1;
}

int session_start(struct session *session)
{
	struct process process;
	struct spawned spawned;
	static struct failure error;
	struct member *member = NULL;
	char text[64];

	if (process_parse(session->records, session->records_size, &process) < 0)
		return -EPROTO;
	if (process.container) {
		int r = take_container(session, &process, &member);
		if (r != 1)
			return r;
	}
	session->elsewhere = process.device[0] != '\0';
	if (session->elsewhere && !is_main(session))
		return -EPROTO;
	int r = session->elsewhere && !process.direct ? serial_open(process.device) : 0;
	if (r < 0) {
		char message[128];
		snprintf(message, sizeof message, MESSAGE_DEVICE, process.device, error_text(r, text));
		session_refuse(session, CODE_SETUP_FAILED, message);
		return 0;
	}
	r = spawn(&process, is_first(session), member, &spawned, &error);
	if (r < 0) {
		/* the PID namespace of a dead PID 1 takes no more processes */
		bool dead = (r == -ENOMEM || r == -ESRCH) && !session->member;
		session_refuse(session, dead ? CODE_NOT_RUNNING : CODE_SETUP_FAILED,
			       dead ? MESSAGE_NOT_RUNNING : error.text);
		return 0;
	}
	drop_records(session);
	session->state = SESSION_STARTING;
	session->pid = spawned.pid;
	session->relay.sysinit = spawned.sysinit;
	session->relay.terminal = process.terminal;
	session->rows = process.rows;
	session->columns = process.columns;
	if (session->relay.sysinit)
		tell->moved();
	loop_add(&session->reports, spawned.status, EPOLLIN, report_ready);
	if (!session->relay.terminal || session->elsewhere)
		relay_attach(&session->relay, spawned.input, spawned.output, spawned.error);
	return 0;
}

#pragma GCC diagnostic push
/* GCC 12 takes what realloc(3) gave back for lost once it is stored in the table */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"

/* One byte more than the records is kept: process_strings writes it. */
int session_add_records(struct session *session, const uint8_t *bytes, size_t size)
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

void session_close(struct session *session)
{
	if (session->state == SESSION_OPENING || session->state == SESSION_WAITING) {
		session_release(session);
		return;
	}
	/* nobody waits for an exec's end any more, or can: what stood for it outside has been killed */
	if (session->member)
		member_kill(session->member);
	else if (!is_main(session) && !session->exited && session->pid > 0)
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

int64_t session_tick(struct session *session, int64_t now, bool hurried)
{
	int64_t next = -1;

	if (session->state == SESSION_CLEANING)
		return member_end(session->member) < 0 ? AWAIT_STEP_MILLIS : -1;
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
