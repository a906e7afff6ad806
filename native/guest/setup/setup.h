/* SPDX-License-Identifier: Apache-2.0 */
/* From the records of the machine and its container to both. */
#ifndef DKVM_SETUP_H
#define DKVM_SETUP_H

#include "common/failure.h"
#include "guest/records/container.h"
#include "guest/records/machine.h"

/* STEP_SYSCTLS is a part of the network's, which may fail: its values are the container's. */
enum setup_step { STEP_ROOT = 1, STEP_MOUNTS = 2, STEP_NETWORK = 3, STEP_READY = 4, STEP_SYSCTLS = 5 };

/*
 * Do all that the records say. received is boot_nanos() of the time when the clock's record came.
 * Gives the time of each step as in READY; on failure the step that failed and why.
 */
struct setup_steps {
	uint64_t done[STEP_READY + 1]; /* ns since boot, by step */
	enum setup_step step;
};

int setup_vm(const struct machine *machine, const struct container *container, uint64_t received,
	     struct setup_steps *steps, struct failure *error);

#endif
