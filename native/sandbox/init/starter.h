/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the sandbox's programs for the monitor, which may not: each with the rights that are its, and none of ours. What they write
 * goes to the monitor, and so does their end. See starter_request.h.
 */
#ifndef DKVM_STARTER_H
#define DKVM_STARTER_H

#include "sandbox/init/starter_request.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

enum { STARTER_CHILDREN = 16, STARTER_POLLS = 1 + 2 * STARTER_CHILDREN };

struct starter_rights {
	bool given[STARTER_KINDS]; /* where it is not, the program has what we have */
	struct rights of[STARTER_KINDS];
};

/* Listen at path; 0 or -errno. */
int starter_open(const char *path, const struct starter_rights *rights);

/* From here on the process with that pid, and no other, is served. */
void starter_serve(pid_t monitor);

/* What to wait for; at most STARTER_POLLS. Returns their number. */
size_t starter_polls(struct pollfd *polls);

/* Do what those that are ready ask for. */
void starter_ready(const struct pollfd *polls, size_t count);

/* A child has ended that is nobody else's. */
void starter_reaped(pid_t pid, int status);

#endif
