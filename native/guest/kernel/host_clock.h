/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's clock follows the host's while the machine runs: the agent asks for the host's time (CLOCK_ASK, CLOCK). */
#ifndef DKVM_HOST_CLOCK_H
#define DKVM_HOST_CLOCK_H

#include "common/frame.h"

#include <stdbool.h>
#include <stdint.h>

/* Begin to ask, and to watch whether a program of the guest sets the clock: from then on the clock is the guest's own. */
void host_clock_follow(void);

/* Ask when it is time. Returns the milliseconds until the next question, -1 for never. */
int host_clock_tick(void);

/* An answer. Returns -EPROTO for one that nobody asked for. */
int host_clock_take(const struct frame *frame);

enum host_clock_change { CLOCK_KEEP, CLOCK_SLEW, CLOCK_STEP };

/*
 * What is to be done about a clock that differs by difference ns (positive: it is behind), as measured by a question whose
 * answer took trip ns: so long may the answer have been on its way, and half of that is what the measurement may be wrong by.
 * Only what is certain is made good: *by is that part of the difference, in ns. While the machine is starting, a clock that is
 * behind is stepped in any case: the files that it makes have the host's time, which would be a time to come.
 */
enum host_clock_change host_clock_decide(int64_t difference, uint64_t trip, bool starting, int64_t *by);

#endif
