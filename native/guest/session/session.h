/* SPDX-License-Identifier: Apache-2.0 */
/* One session: a process of the guest and who is at its other end. Its state changes in session.c, by these calls. */
#ifndef DKVM_SESSION_H
#define DKVM_SESSION_H

#include "common/frame.h"
#include "common/loop.h"
#include "guest/process/members.h"
#include "guest/session/relay.h"

#include <stdbool.h>
#include <sys/types.h>

enum { OPENING_MAX = 16 << 20 }; /* bytes: records of all sessions that are being opened */

enum session_state {
	SESSION_FREE,
	SESSION_OPENING,  /* records arrive */
	SESSION_WAITING,  /* … have arrived; the container's first process is not the program yet */
	SESSION_STARTING, /* forked, not yet the program */
	SESSION_RUNNING,
	SESSION_CLEANING, /* the first of a container: what is left of that is taken away */
	SESSION_GHOST,    /* over, but something still writes to its pipes */
};

struct session {
	enum session_state state;
	uint32_t container;    /* whose process it is, 0: the VM's first */
	struct member *member; /* that container, where its first process is this */
	char *refusal;         /* why it was not started; said when nothing is left of it */
	uint8_t refusal_code;
	pid_t pid;          /* 0: reaped */
	uint32_t inner_pid; /* in the workload's PID namespace */
	bool elsewhere;     /* its terminal is not relayed here: a device, or joined to one */
	uint16_t rows, columns;
	int64_t cleaned_by; /* ms: what is left of its container by then is left */
	uint64_t signals;   /* those that wait for the process to expect them, bit n - 1 */
	int64_t patience;   /* ms: until then the main process may not expect its signals yet; longer while it works */
	int64_t patience_end;
	uint64_t work; /* signal_work, when last looked at */
	bool exited;   /* the process has ended */
	int status;    /* then: as of wait(2) */
	uint8_t exit_code;
	uint8_t *records;
	size_t records_size, records_capacity;
	struct source reports; /* of the child, until it is the program */
	struct source reboots; /* tells of reboot(2), where it is a system: sysinit.h */
	struct relay relay;
};

struct session_events {
	/* The main session is over; status as of wait(2), -1: it never ran and code is the exit code. */
	void (*main_ended)(int status, uint8_t code);
	/* The agent is another process by now, with children of its own. */
	void (*moved)(void);
	/* A process that shares the machine's PID namespace has ended the machine by reboot(2). */
	void (*rebooted)(void);
	/* The first process of a container other than the VM's first is a program now, or is over. */
	void (*settled)(uint32_t container);
};

void session_set_events(const struct session_events *events);

/* Make a free place a session whose records arrive. */
void session_create(struct session *session, uint32_t stream);

/* A piece of its records; last: start it. Returns 0, -EPROTO, or -ENOMEM: there is no room for them. */
int session_add_records(struct session *session, const uint8_t *bytes, size_t size);
int session_start(struct session *session);

/* It never runs: say so, free its place; the main session is over with that. */
void session_refuse(struct session *session, uint8_t code, const char *text);

/* Tell the monitor that a stream has no session. */
void refuse_stream(uint32_t stream, uint8_t code, const char *text);

/* The client has gone. */
void session_close(struct session *session);

/* Take a frame of an open session: input, credit, a signal, a terminal's size. Returns 0 or -EPROTO. */
int session_take(struct session *session, const struct frame *frame);

/* Its process has ended. */
void session_reaped(struct session *session, int status);

/* What took away what was left of its container has ended. */
void session_cleaned(struct session *session, int status);

/* Do what is due; hurried: with little patience for its output. Returns the milliseconds to the next deadline, -1: none. */
int64_t session_tick(struct session *session, int64_t now, bool hurried);

/* The workload is dead: end it, though its output still waits to be taken, and free its place. */
void session_end(struct session *session);

/* Free its place. */
void session_release(struct session *session);

#endif
