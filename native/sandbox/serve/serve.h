/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dkvm-sockets, dkvm-locks, dkvm-events and dkvm-forward have in common: they are started when somebody wants what they do, and the monitor
 * passes the agent's frames on. They end with the monitor's connection.
 */
#ifndef DKVM_SERVE_H
#define DKVM_SERVE_H

#include "common/frame.h"

struct service {
	const char *what; /* the guest breaks the protocol of its … */
	int (*frame)(const struct frame *frame);
	void (*room)(void);
	/* What is due, before the loop waits. Returns the milliseconds to the next time, -1: none. */
	int (*tick)(void);
};

/* First of all: nobody reads our memory, no signal ends us. */
void serve_begin(void);

/* Connect to the monitor, whose frames come from the next round on; the loop is there, see loop_open(). */
void serve_connect(const struct service *service, const char *monitor);

/* The monitor, which has been connected to; the descriptor does not block. */
void serve_on(const struct service *service, int fd);

/* Returns never. */
_Noreturn void serve(const struct service *service);

/* The VM's log has the reason. */
_Noreturn void serve_die(const char *what, int error);

#endif
