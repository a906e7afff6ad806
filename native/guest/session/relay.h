/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between the channel and a session's pipes or terminal. It knows nothing of the session but what is told here. */
#ifndef DKVM_RELAY_H
#define DKVM_RELAY_H

#include "common/credit.h"
#include "common/frame.h"
#include "common/loop.h"

enum { DRAIN_MILLIS = 30000 }; /* how long an ended session's output may make no progress */

struct relay;

struct output {
	struct source source;
	uint8_t type;    /* FRAME_STDOUT, FRAME_STDERR */
	uint32_t credit; /* bytes */
	long left;       /* bytes to deliver after the process ended, -1: until end of file */
	bool ended;      /* nothing more is sent */
	struct relay *relay;
};

struct input {
	struct source source;
	struct credit_window window;
	uint8_t *backlog; /* FRAME_CREDIT bytes, made when first needed */
	size_t start, size;
	uint32_t owed; /* bytes of credit to give back once the process runs: nothing is sent before OPENED */
	bool ended;    /* end of file follows the backlog */
	bool deaf;     /* nobody reads it: what comes is dropped */
	struct relay *relay;
};

struct relay {
	uint32_t stream;
	void (*ended)(struct relay *relay); /* called when an output has ended or closed */
	bool first;                         /* its process leaves nobody behind: all of its container end with it */
	bool terminal;
	bool sysinit;     /* a system's init: its terminal is the VM's console */
	bool running;     /* OPENED is sent */
	bool drains;      /* the process is dead, what it wrote is still sent */
	bool gone;        /* nobody wants the output any more */
	int64_t deadline; /* ms: the end of draining, though the output has not ended */
	int console;      /* that terminal, open while nobody else has it open */
	struct input input;
	struct output output[2];
};

/* A new session's channels, without descriptors. */
void relay_open(struct relay *relay, uint32_t stream, void (*ended)(struct relay *relay));

/* Give it the agent's ends; error is -1 with a terminal, whose master is input and output. */
void relay_attach(struct relay *relay, int input, int output, int error);

/* The process runs, and OPENED is sent: begin to read what it writes. */
void relay_start(struct relay *relay);

/* Bytes for the process; none: end of file. */
void relay_stdin(struct relay *relay, const uint8_t *bytes, uint32_t size);

/* Credit or room has changed. */
void relay_update(struct relay *relay);

/* The process is dead: what it has written is still sent. */
void relay_process_ended(struct relay *relay);

/* End all output now. */
void relay_cut(struct relay *relay);

/* Nobody wants the output any more: end of file on stdin, hang the terminal up. */
void relay_client_gone(struct relay *relay);

/* Whether all that is to be sent has been, and whether nobody can write any more. */
bool relay_output_ended(const struct relay *relay);
bool relay_output_closed(const struct relay *relay);

/* No input any more. */
void relay_close_input(struct relay *relay);

void relay_close(struct relay *relay);

#endif
