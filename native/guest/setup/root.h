/* SPDX-License-Identifier: Apache-2.0 */
/* The image's root: the share's slot of that name, mounted over the initramfs. */
#ifndef DKVM_ROOT_H
#define DKVM_ROOT_H

#include "common/failure.h"

#include <stdbool.h>

/* Mount the share in the initramfs and its root as /, with /dev and /sys moved into it, and make it the root of the agent. */
int root_mount(struct failure *error);

/*
 * In a mount namespace that was copied from the agent's, with the initramfs as the working directory: the root of a member of a pod, from its
 * slot, in the place of the first container's, with a /dev of its own and /sys with those flags.
 */
int root_mount_member(const char *slot, unsigned long sys_flags, struct failure *error);

/*
 * Take the share's directory of slots out of this mount namespace; what was mounted from it stays. The working directory is the
 * initramfs of that namespace, and / afterwards.
 */
int root_hide_share(void);

/* There: all else of the initramfs goes, too, but for itself. The working directory is / afterwards. */
int root_hide_all(void);

/* Make / read-only; what is mounted below keeps its own flags. */
int root_make_read_only(struct failure *error);

/* A shutdown of the workload's own has made every filesystem read-only: ours is to be written to once more. */
void root_make_writable(void);

/*
 * Wait for what is under way to the host's side of those who have been killed: the kernel uses a mount's files until that is answered,
 * though the mount is gone.
 */
void root_settle(void);

/* Unmount everything, the root last, and first await what was asked of the host, if settle; afterwards the agent's root is the initramfs again. */
void root_unmount(bool settle);

#endif
