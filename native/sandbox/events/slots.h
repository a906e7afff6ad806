/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest names, found below its slot and nowhere else. */
#ifndef DKVM_SLOTS_H
#define DKVM_SLOTS_H

/*
 * Open (O_PATH) a directory or file by its path in the share, "/SLOT" or "/SLOT/NAME…", which is a stranger's. The image's root is no
 * slot that others write to. No link is followed. Returns a descriptor or -errno.
 */
int slots_open(int share, const char *path);

#endif
