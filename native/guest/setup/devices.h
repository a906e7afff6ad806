/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that somebody asked for (docker run --device): disks by their serial numbers, and devices of the guest's own. */
#ifndef DKVM_DEVICES_H
#define DKVM_DEVICES_H

#include "common/failure.h"
#include "guest/records/container.h"

/* Make nodes for what modules bring that the guest can load but has not loaded. One that can not be made is missing, no more. */
void devices_of_modules(void);

/* Make the nodes that somebody asked for in /dev. Returns 0 or -errno. */
int devices_make(const struct container *container, struct failure *error);

#endif
