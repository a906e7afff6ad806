/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions: the workload's own (stream 1) and those of exec. */
#ifndef DKVM_SESSION_H
#define DKVM_SESSION_H

#include "common/credit.h"
#include "common/frame.h"
#include "common/loop.h"
#include "guest/process/process.h"

#include <sys/types.h>

enum {
	SESSIONS_MAX = 1 + 256, /* the workload's, and as many as the monitor opens */
	MAIN_STREAM = 1,
	DRAIN_MILLIS = 30000,   /* how long an ended session's output may make no progress */
	OPENING_MAX = 16 << 20, /* bytes: records of all sessions that are being opened */
};

enum session_state {
	SESSION_FREE,
	SESSION_OPENING,  /* records arrive */
	SESSION_STARTING, /* forked, not yet the program */
	SESSION_RUNNING,
	SESSION_GHOST, /* over, but something still writes to its pipes */
};

struct output {
	struct source source;
	uint8_t type;    /* FRAME_STDOUT, FRAME_STDERR */
	uint32_t credit; /* bytes */
	long left;       /* bytes to deliver after the process ended, -1: until end of file */
	bool ended;      /* nothing more is sent */
	struct session *session;
};

struct input {
	struct source source;
	struct credit_window window;
	uint8_t *backlog; /* FRAME_CREDIT bytes, made when first needed */
	size_t start, size;
	uint32_t owed; /* bytes of credit to give back once the process runs: nothing is sent before OPENED */
	bool ended;    /* end of file follows the backlog */
	bool deaf;     /* nobody reads it: what comes is dropped */
	struct session *session;
};

struct session {
	enum session_state state;
	uint32_t stream;
	pid_t pid;          /* 0: reaped */
	uint32_t inner_pid; /* in the workload's PID namespace */
	bool terminal;
	bool machine;   /* it is the VM's PID 1, which never ends: it asks for the end of the machine */
	bool elsewhere; /* its terminal is not relayed here: a device, or joined to one */
	uint16_t rows, columns;
	uint64_t signals;  /* those that wait for the process to expect them, bit n - 1 */
	int64_t patience;  /* ms: until then the main process may not expect its signals yet */
	bool exited, gone; /* process has ended; client has gone */
	uint8_t exit_code;
	int64_t deadline; /* ms: end the session though its output has not ended */
	uint8_t *records;
	size_t records_size, records_capacity;
	struct source status;
	struct source reboots; /* tells of reboot(2), in a machine: sysinit.h */
	int console;           /* a machine's terminal, open while nobody else has it open */
	struct input input;
	struct output output[2];
};

struct session_events {
	/* The main session is over; status as of wait(2), -1: it never ran and code is the exit code. */
	void (*main_ended)(int status, uint8_t code);
	/* The agent is another process by now, with children of its own. */
	void (*moved)(void);
};

void sessions_open(const struct session_events *events);

/* Take a session frame. Returns 0 or -EPROTO. */
int sessions_frame(const struct frame *frame);

/* A child of the agent has ended. */
void sessions_reaped(pid_t pid, int status);

/* The channel takes data again. */
void sessions_room(void);

/* Do what is due. Returns the milliseconds to the next deadline, -1: none. */
int sessions_tick(void);

/* Kill the workload; the main session ends with little patience for its output. */
void sessions_kill(void);

/*
 * The workload is dead, and with it every session: end those that still wait for their output to be taken, and send
 * nothing of any other.
 */
void sessions_end(void);

/* Whether there is a main session. */
bool sessions_have_main(void);

/* Take a frame of an open session: input, credit, a signal, a terminal's size. Returns 0 or -EPROTO. */
int session_take(struct session *session, const struct frame *frame);

/* Pass on the signals that wait, but for those that a young PID 1 would lose. */
void session_deliver(struct session *session);

/* Called by the relay when an output has ended or closed. */
void session_step(struct session *session);

#endif
