/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a process together with those that it has started. */
#ifndef DKVM_KILL_H
#define DKVM_KILL_H

#include <sys/types.h>

/* Kill a process that was started by spawn, and what else is in the session of terminals that it leads: see setsid(2). */
void kill_session(pid_t leader);

/* The session of a process that is not dead yet, from the text of /proc/PID/stat (see proc_pid_stat(5)); 0 when it is dead. */
pid_t session_in_stat(const char *stat);

#endif
