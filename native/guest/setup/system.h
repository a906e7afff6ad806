/* SPDX-License-Identifier: Apache-2.0 */
/* Names, clock and kernel settings. */
#ifndef DKVM_SYSTEM_H
#define DKVM_SYSTEM_H

#include "guest/setup/setup.h"

#include <sys/types.h>

int system_set_names(const struct machine *machine, struct setup_error *error);

/* Set the clock to nanos since 1970 UTC, which it was at received (boot_nanos). */
void system_set_clock(uint64_t nanos, uint64_t received);

int system_apply_sysctls(const struct machine *machine, struct setup_error *error);

/*
 * Start to bring processors online, until so many are; 0: every one that the machine has. One that will not come (nosmp)
 * stays off. Returns the process that does it, for system_wait_for_cpus(), or -errno.
 */
pid_t system_online_cpus(uint32_t wanted);

/* Bring processors online and take others offline until so many are, with the first. Takes its time. Returns how many are. */
uint32_t system_set_cpus(uint32_t wanted);

/* Wait until it is done. */
void system_wait_for_cpus(pid_t pid);

/* The path below /proc/sys of a setting: the first of '.' and '/' in its name separates, the other is literal. */
int sysctl_path(char *name);

/* Whether the kernel has killed a process for want of memory since boot. */
bool system_ran_out_of_memory(void);

#endif
