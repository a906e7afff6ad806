/* SPDX-License-Identifier: Apache-2.0 */
/* Names, clock and kernel settings. */
#ifndef DKVM_SYSTEM_H
#define DKVM_SYSTEM_H

#include "common/failure.h"
#include "guest/records/machine.h"

#include <stdbool.h>

/*
 * Make random numbers of ENTROPY_SIZE bytes that no other VM has, from now on: a VM that is restored has its template's
 * state. NULL: nothing to do. See random(4).
 */
int system_mix_in(const uint8_t *entropy, struct failure *error);

int system_set_names(const struct machine *machine, struct failure *error);

/* Set the clock to nanos since 1970 UTC, which it was at received (boot_nanos); 0 is not given. Whether it was set; a failure is logged. */
bool system_set_clock(uint64_t nanos, uint64_t received);

int system_apply_sysctls(const struct machine *machine, struct failure *error);

/* The path below /proc/sys of a setting: the first of '.' and '/' in its name separates, the other is literal. */
int sysctl_path(char *name);

/* Whether the kernel has killed a process for want of memory since boot. */
bool system_ran_out_of_memory(void);

/* Those that it has killed so far are somebody else's, who has been told. */
void system_forget_kills(void);

#endif
