/* SPDX-License-Identifier: Apache-2.0 */
/* New filesystems. */
#ifndef DKVM_MKFS_H
#define DKVM_MKFS_H

#include <stddef.h>

/* The command that formats a file; NULL for a filesystem that nobody knows. Ends in a NULL. */
const char *const *mkfs_command(const char *filesystem);

/* Format the file behind a descriptor. Returns 0 or -errno, and then what the program said, on one line. */
int mkfs_run(int fd, const char *filesystem, char *said, size_t size);

#endif
