/* SPDX-License-Identifier: Apache-2.0 */
/* The control group of a member of a pod, "container-N" in a cgroup2 hierarchy that no container sees. */
#ifndef DKVM_GROUP_H
#define DKVM_GROUP_H

#include "common/failure.h"
#include "guest/records/container.h"

#include <sys/types.h>

/* Where that hierarchy is mounted; in the initramfs. */
#define GROUPS "cgroup"

/* In the agent: mount it, if nobody has. Returns 0 or -errno. */
int group_mount(struct failure *error);

/* Make the group with the container's limits. Returns 0 or -errno. */
int group_make(uint32_t number, const struct container *container, struct failure *error);

/* Give it other limits; 0 stays as it is, CGROUPS_NO_LIMIT is none. May wait until memory has been given back. Returns 0 or -errno. */
int group_change(uint32_t number, const struct container *limits);

/* Join it; where it may have no processes of its own any more, the one that its first process is in. Returns 0 or -errno. */
int group_join(uint32_t number, pid_t first);

/* Kill all that is in it now. Nothing where it is not there. */
void group_kill(uint32_t number);

/* Kill what is in it until nothing is left, and remove it. Returns 1: it ran out of memory, 0, or -errno: something does not die. */
int group_end(uint32_t number);

/* Whether it has run out of memory. */
bool group_has_run_out(uint32_t number);

/* What memory.events says: pure. */
bool group_ran_out(const char *events);

#endif
