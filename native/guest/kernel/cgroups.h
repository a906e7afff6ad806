/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_CGROUPS_H
#define DKVM_CGROUPS_H

#include "common/failure.h"
#include "guest/records/container.h"

#include <sys/types.h>

#define CGROUPS_NO_LIMIT UINT64_MAX

/* Mount the cgroup filesystems the container asks for and make the workload's group where its processes are limited. */
int cgroups_mount(const struct container *container, struct failure *error);

/*
 * Groups below a hierarchy of cgroup2 get every controller: each looks like the whole tree, which has them all. -ENOENT where there is
 * none of processes. base: its root, below the working directory unless absolute.
 */
int cgroups_delegate(const char *base);

/* Change the limit of the workload's processes. Returns 0, -ENOENT where it was started without one, or another -errno. */
int cgroups_set_pids(uint64_t limit);

/* In a process that is to belong to the workload: join its group, where there is one; else that of its first process. */
int cgroups_join(pid_t first);

/* In the workload's first process, in its mount namespace: make its group look like the whole tree. */
int cgroups_hide_parent(void);

/* Let go of the group, so that its tree can be unmounted. */
void cgroups_release(void);

#endif
