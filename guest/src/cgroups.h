/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_CGROUPS_H
#define DKVM_CGROUPS_H

#include "setup.h"

/* Mount the cgroup filesystems the machine asks for and make the workload's group where its processes are limited. */
int cgroups_mount(const struct machine *machine, struct setup_error *error);

/* In a process that is to belong to the workload: join its group, where there is one. */
int cgroups_join(void);

/* In the workload's first process, in its mount namespace: make its group look like the whole tree. */
int cgroups_hide_parent(void);

/* Let go of the group, so that its tree can be unmounted. */
void cgroups_release(void);

#endif
