/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls of files, which a network's volume holds up for as long as it likes: on threads, so that only those wait who want that
 * file. What concerns one file is done in order, one at a time.
 */
#ifndef DKVM_LANES_H
#define DKVM_LANES_H

#include "sandbox/share/slots.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LANES_THREADS = 32,
	LANES_OF_VOLUME = 4, /* threads that one volume may hold up */
};

struct work {
	uint64_t file;            /* its inode number, by which files are told apart */
	char slot[SLOT_MOST + 1]; /* the volume; known when begin says true */
	/* In the loop, when what came before for the file is done. False: there is nothing to run. */
	bool (*begin)(struct work *work);
	/* On a thread: it touches nothing but the work and the file. */
	void (*run)(struct work *work);
	/* In the loop; the work is the caller's again. */
	void (*done)(struct work *work);
	/* the rest is the lanes' own */
	struct work *next, *behind;
	bool begun;
};

int lanes_open(void);

/* Do it when its turn comes, which may be at once. */
void lanes_add(struct work *work);

/* Likewise, before what has not begun for the file. */
void lanes_add_first(struct work *work);

/* The caller's again, without having been done. False: it has begun. */
bool lanes_remove(struct work *work);

#endif
