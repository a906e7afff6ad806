/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a tree of files as it is: owners, modes, times, hard links, symbolic links, extended attributes. */
#ifndef DKVM_COPYTREE_H
#define DKVM_COPYTREE_H

#include "common/failure.h"

#include <stdint.h>

struct tree_size {
	int64_t bytes; /* on disk, hard links once, in whole blocks of 4 KiB */
	int64_t files; /* entries of any kind */
};

typedef void tree_progress(int64_t copied, int64_t all);

/* Returns 0, or -errno with the failure set: what went wrong with which file. */
int tree_measure(const char *source, struct tree_size *size, struct failure *error);

/*
 * Copies the directory SOURCE to TARGET, which must not exist; its parent must. When it fails, a part is there. Devices, sockets and
 * pipes are refused. Neither tree may change meanwhile: paths are followed, so both have to be root's own.
 * PROGRESS is told after each file. Returns 0, or -errno with the failure set: what went wrong with which file.
 */
int tree_copy(const char *source, const char *target, const struct tree_size *size, tree_progress *progress,
	      struct failure *error);

#endif
