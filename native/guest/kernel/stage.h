/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount is made ready, in the initramfs, before it comes to its place in the root: with its flags, and filled. No path of the
 * image's is looked up between finding the place and the mount's being there.
 * The working directory is the initramfs, from stage_enter to stage_leave.
 */
#ifndef DKVM_STAGE_H
#define DKVM_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#define STAGE_DIRECTORY "stage"
#define STAGE_FILE "stage-file"

/* The directory of slots that the host's side shares; in the initramfs. */
#define SHARE "share"

/* The filesystems that a pod's containers share, by their names; in the initramfs. */
#define POD_FILESYSTEMS "pod-filesystems"

/* Each returns 0 or -errno. */
int stage_enter(void);
int stage_leave(void);

/* Move a mount of the initramfs to a place. */
int stage_move(const char *from, int place);

/* Unmount what did not come to its place. */
void stage_clear(bool directory);

static inline const char *stage_of(bool directory)
{
	return directory ? STAGE_DIRECTORY : STAGE_FILE;
}

/* Where in the root a place is. */
int stage_path(int place, char *path, size_t size);

#endif
