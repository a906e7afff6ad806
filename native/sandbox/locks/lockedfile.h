/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the share for a lock of the guest's, and the locks themselves. */
#ifndef DKVM_LOCKEDFILE_H
#define DKVM_LOCKEDFILE_H

#include "common/lockframe.h"

#include <stdbool.h>
#include <stdint.h>

/* A range, of which both ends are in it; all of a file for flock(2). */
struct range {
	enum lock_kind kind;
	enum lock_type type;
	uint64_t start, end; /* bytes; INT64_MAX: to the end, wherever that is */
};

/*
 * Open the file that has that number at a path below a slot of the share, without an effect on it: no link is followed, nothing but
 * regular files and, for flock(2), directories is opened, and nothing is waited for but the volume. Where another file is at the path,
 * one in the same directory with that number is taken. Writable where it can be and is wanted. Returns the descriptor or -errno: -EOPNOTSUPP for what
 * others could not lock by it, -ESTALE where the file is not found.
 */
int locked_file_open(int share, const char *path, uint64_t inode, enum lock_kind kind, bool writable);

/* Take, change or (LOCK_TYPE_NONE) give up a lock. Returns 0 or -errno: -EAGAIN for one that another has. */
int locked_file_set(int fd, const struct range *range, bool wait);

/* What is in the way of a lock: its type is LOCK_TYPE_NONE where nothing is. Returns 0 or -errno. */
int locked_file_test(int fd, struct range *range);

#endif
