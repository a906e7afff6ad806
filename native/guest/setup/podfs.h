/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's own filesystems that all containers of a pod share: /dev/shm, volumes in memory. They stay until the VM ends. */
#ifndef DKVM_PODFS_H
#define DKVM_PODFS_H

#include "common/failure.h"
#include "guest/records/container.h"

/* Make those that the container asks for, unless another one has; of the agent's mount namespace. */
int podfs_make(const struct container *container, struct failure *error);

/*
 * Open one, or what is at a path in it, as O_PATH: "NAME", "NAME/PATH". Directories that are missing are made as a kubelet makes a subPath's,
 * with the mode of the filesystem's root. No link is followed. The working directory is the initramfs, of the container's mount namespace.
 */
int podfs_open(struct span source, struct failure *error);

#endif
