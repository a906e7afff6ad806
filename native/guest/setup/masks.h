/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that the workload is not to see, or not to write to; what an engine asks for beside what no container sees. */
#ifndef DKVM_MASKS_H
#define DKVM_MASKS_H

#include "guest/records/container.h"

/* Hide a container's, in its mount namespace, with its /proc mounted. Returns 0 or -errno. */
int masks_apply(const struct container *container);

#endif
