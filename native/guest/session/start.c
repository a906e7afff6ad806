/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/start.h"

#include "common/files.h"
#include "common/messages.h"
#include "guest/process/members.h"
#include "guest/process/spawn.h"
#include "guest/process/sysinit.h"
#include "guest/process/terminal.h"
#include "guest/process/workload.h"
#include "guest/session/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static size_t opening; /* bytes of records held */

void session_drop_records(struct session *session)
{
	opening -= session->records_capacity;
	free(session->records);
	session->records = NULL;
	session->records_size = session->records_capacity = 0;
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
		session_tell->rebooted();
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
		session_started(session);
		return;
	}
	if (report.kind == REPORT_FAILED) {
		close_cleanup(&fd);
		session_refuse(session, (uint8_t)report.number, report.text);
	} else if (report.kind == REPORT_TERMINAL && fd >= 0) {
		attach_terminal(session, fd);
	} else if (report.kind == REPORT_REBOOTS && fd >= 0) {
		loop_add(&session->reboots, fd, EPOLLIN, reboots_ready);
	} else if (report.kind == REPORT_MOUNTS && session->member) {
		session->member->mounts = fd;
	} else if (report.kind == REPORT_PID) {
		session->inner_pid = report.number;
	}
}

/* A process of a container other than the VM's first. Returns 1: start it, 0: not now, or -EPROTO. */
static int take_container(struct session *session, const struct process *process, struct member **member)
{
	char text[64];

	if (session_is_main(session))
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
	case MEMBER_TOO_LATE:
		session_refuse(session, CODE_SETUP_FAILED,
			       "the VM's first container has ended, and no further one starts");
		return 0;
	case MEMBER_TOO_MANY:
		snprintf(text, sizeof text, "too many containers: %d are running", MEMBERS_MAX);
		session_refuse(session, CODE_SETUP_FAILED, text);
		return 0;
	case MEMBER_WRONG:
		if (process->begins_container)
			return -EPROTO;
		session_refuse(session, CODE_NOT_RUNNING, MESSAGE_NOT_RUNNING);
		return 0;
	}
	if (process->begins_container)
		session->member = *member;
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
	if (session->elsewhere && !session_is_main(session))
		return -EPROTO;
	int r = session->elsewhere && !process.direct ? serial_open(process.device) : 0;
	if (r < 0) {
		char message[128];
		snprintf(message, sizeof message, MESSAGE_DEVICE, process.device, error_text(r, text));
		session_refuse(session, CODE_SETUP_FAILED, message);
		return 0;
	}
	r = spawn(&process, session_is_first(session), member, &spawned, &error);
	if (r < 0) {
		/* the PID namespace of a dead PID 1 takes no more processes */
		bool dead = (r == -ENOMEM || r == -ESRCH) && !session->member;
		session_refuse(session, dead ? CODE_NOT_RUNNING : CODE_SETUP_FAILED,
			       dead ? MESSAGE_NOT_RUNNING : error.text);
		return 0;
	}
	session_drop_records(session);
	session->state = SESSION_STARTING;
	session->pid = spawned.pid;
	session->relay.sysinit = spawned.sysinit;
	session->relay.terminal = process.terminal;
	session->rows = process.rows;
	session->columns = process.columns;
	if (session->relay.sysinit)
		session_tell->moved();
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
