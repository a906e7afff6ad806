/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest names, found below its slot and nowhere else. */
#ifndef DKVM_SLOTS_H
#define DKVM_SLOTS_H

#include <stdbool.h>

enum { SLOT_MOST = 96 }; /* letters of a slot's name, or of its path below the share */

/*
 * The slot of a path in the share, "/SLOT" or "/SLOT/NAME…", which is a stranger's, and what is below it in rest. A pod's members have
 * theirs in "pod/N", and share those in "pod/volumes". An image's root is no slot: others do not write to it. False where it has none.
 */
bool slots_name(const char *path, char slot[static SLOT_MOST + 1], const char **rest);

/*
 * Open (O_PATH) the slot of a path, and say what is below it, "" for the slot itself: as mounts below a slot are the container's as
 * well. Returns a descriptor or -errno, -EINVAL where there is no slot.
 */
int slots_open_slot(int share, const char *path, const char **rest);

/* Open (O_PATH) a directory or file by its path in the share. No link is followed. Returns a descriptor or -errno. */
int slots_open(int share, const char *path);

#endif
