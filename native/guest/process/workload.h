/* SPDX-License-Identifier: Apache-2.0 */
/* The namespaces that the workload and its exec sessions live in. */
#ifndef DKVM_WORKLOAD_H
#define DKVM_WORKLOAD_H

#include "guest/records/container.h"

#include <stdbool.h>
#include <sys/types.h>

/* What was set up for the first container; the records stay where they are. */
void workload_remember(const struct container *container);

/* Fork the first process of the workload, in a PID and mount namespace of its own. As fork(2), or -errno. */
pid_t workload_fork_first(void);

/* Fork a process into the workload's PID namespace, as a child of the agent. As fork(2), or -errno. */
pid_t workload_fork_exec(void);

/* The same, and it becomes PID 1 of the VM: see sysinit.h. In the child the agent goes on. */
pid_t workload_fork_machine(void);

bool workload_is_machine(void);

/* The workload's first process, in the agent's PID namespace. */
pid_t workload_first(void);

/* In the child: mount /proc and show the workload's own cgroups (first), or join the other namespaces. */
int workload_enter(bool first);

#endif
