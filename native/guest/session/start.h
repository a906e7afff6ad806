/* SPDX-License-Identifier: Apache-2.0 */
/* What session.c and start.c, which has all from a session's records to its program, know of each other. */
#ifndef DKVM_START_H
#define DKVM_START_H

#include "guest/session/session.h"

extern const struct session_events *session_tell;

/* Whether its process is the first of the VM's first container, or of any. */
bool session_is_main(const struct session *session);
bool session_is_first(const struct session *session);

void session_drop_records(struct session *session);

/* Its process is the program now, or dead. */
void session_started(struct session *session);

#endif
