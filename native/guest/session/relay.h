/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between the channel and a session's pipes or terminal. */
#ifndef DKVM_RELAY_H
#define DKVM_RELAY_H

#include "guest/session/session.h"

/* Set a new session's channels up, without descriptors. */
void relay_open(struct session *session);

/* Give it the agent's ends; error is -1 with a terminal, whose master is input and output. */
void relay_attach(struct session *session, int input, int output, int error);

/* The process runs: begin to read what it writes. */
void relay_start(struct session *session);

/* Bytes for the process; none: end of file. */
void relay_stdin(struct session *session, const uint8_t *bytes, uint32_t size);

/* Credit or room has changed. */
void relay_update(struct session *session);

/* The process is dead: what it has written is still sent. */
void relay_process_ended(struct session *session);

/* End all output now. */
void relay_cut(struct session *session);

/* Nobody wants the output any more: end of file on stdin, hang the terminal up. */
void relay_client_gone(struct session *session);

/* Whether all that is to be sent has been, and whether nobody can write any more. */
bool relay_output_ended(const struct session *session);
bool relay_output_closed(const struct session *session);

void relay_close(struct session *session);

#endif
