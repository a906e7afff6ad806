/* SPDX-License-Identifier: Apache-2.0 */
/* Small files and directories. Every function returns 0 (or a count) or -errno. */
#ifndef DKVM_FILES_H
#define DKVM_FILES_H

#include <stddef.h>
#include <sys/types.h>

#define auto_close __attribute__((cleanup(close_cleanup)))

void close_cleanup(const int *fd);

/* Close *fd where it is open and set it to -1. */
void close_clear(int *fd);

/* Write text in one piece to a file that exists. */
int write_text(int dirfd, const char *path, const char *text);

/* Read at most size - 1 bytes and terminate them. Returns the count. */
ssize_t read_text(int dirfd, const char *path, char *buffer, size_t size);

/* Make a directory and its parents where they are missing; a dangling symbolic link's target is made. */
int make_dirs(const char *path, mode_t mode);

/*
 * Open what a path without links leads to below a directory, "" the directory itself: no "..", no link, of procfs neither. Returns a
 * descriptor, which a new program does not have. See RESOLVE_BENEATH in openat2(2).
 */
int open_beneath(int dirfd, const char *path, unsigned int flags);

/* The text of an errno as Go prints it: "no such file or directory". */
const char *error_text(int error, char buffer[static 64]);

#endif
