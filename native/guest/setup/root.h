/* SPDX-License-Identifier: Apache-2.0 */
/* The image's root: the share's slot of that name, mounted over the initramfs. */
#ifndef DKVM_ROOT_H
#define DKVM_ROOT_H

#include "common/failure.h"

/* Mount the share in the initramfs and its root as /, with /dev and /sys moved into it, and make it the root of the agent. */
int root_mount(struct failure *error);

/*
 * Take the share's directory of slots out of this mount namespace; what was mounted from it stays. The working directory is the
 * initramfs of that namespace, and / afterwards.
 */
int root_hide_share(void);

/* Make / read-only; what is mounted below keeps its own flags. */
int root_make_read_only(struct failure *error);

/* A shutdown of the workload's own has made every filesystem read-only: ours is to be written to once more. */
void root_make_writable(void);

/* Unmount everything, the root last; afterwards the agent's root is the initramfs again. */
void root_unmount(void);

#endif
