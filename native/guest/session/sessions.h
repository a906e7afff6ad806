/* SPDX-License-Identifier: Apache-2.0 */
/* All sessions: the workload's own (stream 1) and those of exec. */
#ifndef DKVM_SESSIONS_H
#define DKVM_SESSIONS_H

#include "common/frame.h"
#include "guest/process/members.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	EXECS_MAX = 256,                            /* as many as the monitor opens */
	SESSIONS_MAX = 1 + EXECS_MAX + MEMBERS_MAX, /* … beside the first ones of containers */
};

struct sessions_events {
	/* The main session is over; status as of wait(2), -1: it never ran and code is the exit code. */
	void (*main_ended)(int status, uint8_t code);
	/* The agent is another process by now, with children of its own. */
	void (*moved)(void);
};

void sessions_open(const struct sessions_events *events);

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

#endif
