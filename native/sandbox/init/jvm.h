/* SPDX-License-Identifier: Apache-2.0 */
/* The JVM in which the monitor runs, a child of dkvm-init. */
#ifndef DKVM_JVM_H
#define DKVM_JVM_H

#include "common/rights.h"

#include <stdbool.h>
#include <sys/types.h>

struct jvm {
	pid_t pid;
	pid_t shell; /* a child beside it, 0: none runs */
	int log;     /* its log file, readable */
	bool ended;
	int status; /* of waitpid(2), once ended */
};

/* Open, or make, the log file. Returns 0 or -errno. */
int jvm_open_log(struct jvm *jvm, const char *path);

/*
 * Run argv with the listening socket as stdin and the log as stdout and stderr, in a session of its own, with these rights; NULL: ours.
 * Returns 0 once it is executed, or -errno when that failed.
 */
int jvm_start(struct jvm *jvm, char **argv, int listener, const struct rights *rights);

/* Reap every child that has ended. True once the monitor is among them. */
bool jvm_reap(struct jvm *jvm);

/* Reap until the monitor has ended, for milliseconds at most. */
void jvm_wait(struct jvm *jvm, int milliseconds);

/* Say on stderr how the monitor ended and the last lines of its log. */
void jvm_report(const struct jvm *jvm);

#endif
