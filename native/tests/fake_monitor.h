/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fake monitor share, and its scenarios by the file that has them. */
#ifndef DKVM_FAKE_MONITOR_H
#define DKVM_FAKE_MONITOR_H

#include "session_fake.h"

/* The one session that it serves. */
extern struct session fake_session;

/* A line on the session's standard output. */
void fake_say(const char *format, unsigned a, unsigned b);

/* Accept the session and open it. */
void fake_open(void);

/* fake_monitor_process.c */
void fake_die_with_code(void);
void fake_die_of_signal(void);
void fake_die_unaccepted(void);
void fake_surroundings(void);
void fake_orphans(void);

/* fake_monitor_hostile.c */
void fake_break(const char *name);
void fake_output_before_opened(void);
void fake_output_after_end(void);
void fake_truncate(void);

#endif
