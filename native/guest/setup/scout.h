/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that goes ahead of the agent in a restored machine: it finds the network cards, and takes the kernel's way of a workload's start. An emulated processor translates
 * code when it comes to it, which takes most of its time after a restore; what one has translated the others have, too. See docs/adr/0029-templates.md.
 */
#ifndef DKVM_SCOUT_H
#define DKVM_SCOUT_H

#include <stdint.h>

/* What it calls the agent's program, which then has nothing to do. */
#define SCOUT_NAME "dkvm-scout"

/* Before the machine is saved: have it wait, on the last of so many processors; with one, there is none. Returns 0 or -errno. */
int scout_open(uint32_t processors);

/* The machine has been restored. Nothing where there is no scout, or for the second time. */
void scout_send(void);

/* Wait until it has found the network cards; where a restored machine has no scout, find them. */
void scout_wait(void);

#endif
