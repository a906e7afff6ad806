/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's process, a child of dkvm-init. */
#ifndef DKVM_MONITOR_H
#define DKVM_MONITOR_H

#include <stdbool.h>
#include <sys/types.h>

struct monitor {
	pid_t pid;
	pid_t shell; /* a child beside it, 0: none runs */
	int log;     /* its log file, readable */
	bool ended;
	int status; /* of waitpid(2), once ended */
};

/* Open, or make, the log file. Returns 0 or -errno. */
int monitor_open_log(struct monitor *monitor, const char *path);

/*
 * Run argv with the listening socket as stdin and the log as stdout and stderr, in a session of its own.
 * Returns 0 once it is executed, or -errno when that failed.
 */
int monitor_start(struct monitor *monitor, char **argv, int listener);

/* Reap every child that has ended. True once the monitor is among them. */
bool monitor_reap(struct monitor *monitor);

/* Reap until the monitor has ended, for milliseconds at most. */
void monitor_wait(struct monitor *monitor, int milliseconds);

/* Say on stderr how the monitor ended and the last lines of its log. */
void monitor_report(const struct monitor *monitor);

#endif
