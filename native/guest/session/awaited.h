/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a process has said what it does on a signal. */
#ifndef DKVM_AWAITED_H
#define DKVM_AWAITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * PID 1 of a namespace never gets a signal for which it has no handler, see pid_namespaces(7). A VM takes longer to boot
 * than a container to start, so a signal can well be there before the workload has installed its handlers, and would be lost.
 */
enum {
	AWAIT_MILLIS = 2000, /* that long it has to have done nothing: on a busy host it may do little in a long time */
	AWAIT_MOST_MILLIS = 30000,
	AWAIT_STEP_MILLIS = 20,
};

/* Whether the process catches or ignores the signal, or nobody could: SIGKILL and SIGSTOP. True when it is gone. */
bool signal_awaited(pid_t pid, int number);

/* The same, from the text of /proc/PID/status (see proc_pid_status(5)). */
bool signal_in_status(const char *status, int number);

/* A number that changes when the process does something: it has had a processor, or has given one up. 0 when it is gone. */
uint64_t signal_work(pid_t pid);

/* The same, from the texts of /proc/PID/stat and /proc/PID/status. */
uint64_t signal_work_in(const char *stat, const char *status);

/*
 * The signal that does what is meant: systemd as a first process shuts down on SIGRTMIN+4, and begins itself anew on SIGTERM,
 * see systemd(1), which is what `docker stop` sends where an image names no other.
 */
int signal_meant(pid_t pid, int number);

/* The same, from the path of the process's program. */
int signal_meant_for(const char *program, int number);

#endif
