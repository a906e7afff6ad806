/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for a lock of others: the first by a thread each, in the kernel's queue; further ones are tried now and then. */
#ifndef DKVM_BLOCKED_H
#define DKVM_BLOCKED_H

#include "sandbox/locks/holder.h"

enum { BLOCKED_MAX = 4096, BLOCKED_THREADS = 64 };

/*
 * Told of each that has come to its end: 0 when the lock is the holder's, -EINTR when it was withdrawn, or another -errno. The holder is
 * the caller's again.
 */
typedef void blocked_done(uint64_t id, struct holder *holder, int result);

int blocked_open(blocked_done *done);

/* Wait for it. Returns 0, or -ENOLCK where too many do. */
int blocked_add(uint64_t id, struct holder *holder, const struct range *range);

/* One that waits no longer is told as any other. Nothing where it is not there. */
void blocked_withdraw(uint64_t id);

/* Try what no thread waits for, press those that are withdrawn. Returns the milliseconds to the next time, -1: none. */
int blocked_tick(void);

#endif
