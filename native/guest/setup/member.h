/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further container of the VM, a member of a pod: what is set up for it, by the process that becomes its first. Network, names and IPC
 * are the VM's.
 */
#ifndef DKVM_MEMBER_H
#define DKVM_MEMBER_H

#include "common/failure.h"
#include "guest/records/container.h"

/* In its first process, which becomes one of its control group: from the agent's mount namespace to its own. */
int member_leave(uint32_t number, const struct container *container, struct failure *error);

/* Then: put all in its place there. */
int member_set_up(const struct container *container, struct failure *error);

/*
 * After its end, in a child of the agent: unmount what is in its mount namespace (-1: none), and what the agent's has of its slots; have
 * what it wrote written back.
 */
void member_clean(uint32_t number, int mounts);

#endif
