/* SPDX-License-Identifier: Apache-2.0 */
/* How many of the machine's processors are online. */
#ifndef DKVM_PROCESSORS_H
#define DKVM_PROCESSORS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Start to bring processors online, until so many are; 0: every one that the machine has. One that will not come (nosmp)
 * stays off. Returns the process that does it, for processors_wait(), or -errno.
 */
pid_t processors_start(uint32_t wanted);

/* Wait until it is done. */
void processors_wait(pid_t pid);

/* Bring processors online and take others offline until so many are, with the first. Takes its time. Returns how many are. */
uint32_t processors_set(uint32_t wanted);

#endif
