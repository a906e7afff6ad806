/* SPDX-License-Identifier: Apache-2.0 */
/* A workload that is the init of a whole machine, systemd: it becomes PID 1 of the VM, and the agent a process beside it. */
#ifndef DKVM_SYSINIT_H
#define DKVM_SYSINIT_H

#include "guest/records/process.h"

#include <sys/types.h>

/*
 * Whether the process is to be PID 1 of the VM: its program is systemd, root runs it, nothing says that it is in a container
 * (the variable "container" with a word that is not an engine's, see systemd's container interface), and the kernel can tell the agent of a reboot(2).
 */
bool sysinit_wanted(const struct process *process);

/*
 * Fork; the agent goes on in the child, with all it has open, and PID 1 is free. Returns 0 in PID 1, 1 (its pid) in the
 * child, or -errno in the agent as it was.
 */
pid_t sysinit_fork(void);

/* In PID 1: take away what says that this is a container. */
void sysinit_prepare(void);

/* In PID 1, or a process that shares its PID namespace: a descriptor that tells of each reboot(2) from here on, or -errno. */
int sysinit_catch_reboots(void);

/*
 * Take what the descriptor tells. True when the machine is to end; whoever may not end it gets the kernel's own answer.
 * -errno when there is nobody left who could.
 */
int sysinit_take_reboot(int listener);

/* What the program's path and the variable say: pure. container: NULL where there is none. */
bool sysinit_is_machine(const char *program, const char *container);

/* Whether these lines of /proc/PID/status are of a process that may end the machine: pure. See proc_pid_status(5). */
bool sysinit_may_reboot(const char *status);

/* Whether these arguments of reboot(2) end the machine: pure. */
bool sysinit_is_end(uint32_t magic, uint32_t magic2, uint32_t command);

#endif
