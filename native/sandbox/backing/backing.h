/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backing files of disks: opened below a root that may be hostile, locked against other VMs, made and formatted when they are new.
 * Every function returns 0 or -errno, and then why, to follow the disk's name: "is a directory".
 */
#ifndef DKVM_BACKING_H
#define DKVM_BACKING_H

#include "common/failure.h"

#include <stdint.h>

/*
 * Make the file fit to be a disk: made and formatted if it is not there or holds nothing, else left as it is but for its size,
 * which grows when it is less than bytes. The text also has what there is to say when all went well; empty for nothing.
 */
int backing_prepare(const char *root, const char *path, const char *filesystem, int64_t bytes, struct failure *why);

/* Open and lock a file that was prepared; the lock lasts as long as anybody has the descriptor. */
int backing_open(const char *root, const char *path, int *fd, struct failure *why);

#endif
