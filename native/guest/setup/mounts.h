/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted below the root. */
#ifndef DKVM_MOUNTS_H
#define DKVM_MOUNTS_H

#include "common/failure.h"
#include "guest/records/container.h"

/* What every container has: links in /dev, /dev/pts, /dev/shm, /dev/mqueue. */
int mounts_standard(const struct container *container, struct failure *error);

/* The container's own, in order. */
int mounts_apply(const struct container *container, struct failure *error);

#endif
