/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM leaves to be read: files that its sandbox wrote, and that may be anything, copied with bounds.
 * Every function returns 0 or -errno.
 */
#ifndef DKVM_VMLOG_H
#define DKVM_VMLOG_H

#include <stddef.h>
#include <sys/types.h>

/* The host's own word on a VM: written last, so that what has one is whole. */
#define VMLOG_RECORD "vm.json"

/* How much is kept of all VMs together. */
struct vmlog_limits {
	size_t vms;
	off_t bytes;
};

/*
 * Copy a regular file of a directory that somebody hostile may write to. Of a large one the first and the last bytes are taken, and a line
 * between them says how many are left out. No link is followed and nothing waits.
 */
int vmlog_copy(int directory, const char *name, int to, off_t first, off_t last);

/* Whether a text can be a container's id, and so one name of a file. */
int vmlog_check_id(const char *id);

/*
 * Keep what a VM left, as a new directory in kept: its files from "log" in vm, and the host's own word on it. Nothing is kept of
 * a VM whose monitor never wrote a line.
 */
int vmlog_keep(int vm, int kept, const char *id);

/* Remove the oldest directories in kept until the rest is within the limits. */
int vmlog_prune(int kept, const struct vmlog_limits *limits);

#endif
