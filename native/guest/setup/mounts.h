/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted below the root. */
#ifndef DKVM_MOUNTS_H
#define DKVM_MOUNTS_H

#include "common/failure.h"
#include "guest/records/container.h"

/* What every container has: links in /dev, /dev/pts, /dev/shm, /dev/mqueue. */
int mounts_standard(const struct container *container, struct failure *error);

/* Look into those of its volumes that all members of a pod share, so that they are in the mount namespace of who calls. */
int mounts_look(const struct container *container, struct failure *error);

/* The container's own, in order. Its pod's have been made. */
int mounts_apply(const struct container *container, struct failure *error);

#endif
