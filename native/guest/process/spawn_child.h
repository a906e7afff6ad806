/* SPDX-License-Identifier: Apache-2.0 */
/* From a fork of the agent to the program, as runc would start it. */
#ifndef DKVM_SPAWN_CHILD_H
#define DKVM_SPAWN_CHILD_H

#include "guest/process/members.h"
#include "guest/records/process.h"

struct child {
	struct process *process;
	struct member *member;    /* whose it is; NULL: the VM's first container's */
	bool first;               /* the container's first */
	bool sysinit;             /* its PID 1 is the VM's: sysinit.h */
	int status;               /* where to report: struct report */
	int input, output, error; /* what becomes 0, 1, 2; -1: /dev/null as it is, or the terminal */
};

_Noreturn void child_run(const struct child *child);

#endif
