/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that somebody else chose, looked up below a root: links are followed, and none leads out of it. See openat2(2), RESOLVE_IN_ROOT.
 */
#ifndef DKVM_PLACE_H
#define DKVM_PLACE_H

#include <stdbool.h>

/*
 * Open what is at a path as O_PATH. root is a descriptor of a directory. A kernel that has no openat2(2) does for the root that the
 * process itself has, and no other.
 */
int place_find(int root, const char *path);

/* The same for a directory; what is to be mounted there when somebody looks in is mounted. */
int place_find_directory(int root, const char *path);

/*
 * What is at a path, as O_PATH: a link itself where the last name is one, and -ELOOP where another is. root is a descriptor of a directory,
 * or, where the path is empty, of the thing itself.
 */
int place_look(int root, const char *path);

/*
 * Open a regular file to read it; -EINVAL for all else: a FIFO or a device is not opened, and nothing is waited for. Where the path is
 * empty, root is a descriptor of the file itself.
 */
int place_read(int root, const char *path);

/*
 * As place_find(), and what is missing is made, as runc makes a mount point: directories (0755) on the way, at the end a directory or an empty
 * file (0755). Where a link leads nowhere, that place is made. Gives the descriptor, or -errno: -ENOTDIR or -EISDIR for what is there and
 * is the other kind.
 */
int place_make(int root, const char *path, bool directory);

#endif
