/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connects to localhost in a pod's network namespace: dkvm-keep has left what it takes in our descriptors (native/host/keep/forward.h),
 * and dkvm-forward, which is started at the first connection, has it from then on.
 */
#ifndef DKVM_FORWARD_PROGRAM_H
#define DKVM_FORWARD_PROGRAM_H

#include "common/rights.h"

#include <poll.h>
#include <stdbool.h>

enum { FORWARD_POLLS = 2 };

/*
 * Look for the descriptors, before any of ours are open. monitor: where dkvm-forward's frames go; rights: its own; NULL: ours.
 */
void forward_find(const char *monitor, const struct rights *rights);

/* Say so in the log if they are not what dkvm-keep left: where it left nothing, it has said why. */
void forward_tell(int log);

/* What to wait for, FORWARD_POLLS. now: whether somebody is there to take a connection. */
void forward_polls(struct pollfd *polls, bool now);

/* Start dkvm-forward where somebody connects; what it says goes to log. */
void forward_ready(const struct pollfd *polls, int log);

#endif
