/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program of the sandbox with the rights that are its. */
#ifndef DKVM_LAUNCH_H
#define DKVM_LAUNCH_H

#include "common/rights.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { LAUNCH_HANDED = 32, LAUNCH_TEXT = 400 };

/* Why a program was not started. */
struct launch_fault {
	int error;              /* -errno */
	char text[LAUNCH_TEXT]; /* where there is more to say */
};

struct launch {
	char *const *argv; /* the program's path first */
	char *const *environment;
	const struct rights *rights; /* NULL: those that we have */
	bool confined;               /* it may send no signals to others */
	mode_t mask;                 /* what no file that it makes may have; 0: ours */
	int standard[3];             /* its standard input, output and error */
	/*
	 * Called in the child, which has all that we have: opens what is handed over, above LAUNCH_HANDED. NULL: nothing is.
	 * Returns the number of descriptors, or -errno.
	 */
	int (*open)(void *argument, int fds[static LAUNCH_HANDED], int numbers[static LAUNCH_HANDED],
		    struct launch_fault *fault);
	void *argument;
};

/* Start it, in a session of its own. Its pid, or -errno and the fault: it was not executed. */
pid_t launch_start(const struct launch *launch, struct launch_fault *fault);

#endif
