/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the monitor the ports that the workload listens at, where it shares the network namespace of the sandbox with others. */
#ifndef DKVM_PORTS_H
#define DKVM_PORTS_H

#include "guest/records/machine.h"

/* Start, where the machine's network is of that kind. */
void ports_open(const struct machine *machine);

/* Look where it is time. Returns the milliseconds to the next time, -1: none. */
int ports_tick(void);

#endif
