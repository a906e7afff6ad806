/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has, or wants, locks of a file: an open descriptor for each owner and file, as the guest names them. All the locks of one are
 * the descriptor's, and go when it is closed.
 */
#ifndef DKVM_HOLDER_H
#define DKVM_HOLDER_H

#include "sandbox/locks/lanes.h"
#include "sandbox/locks/lockedfile.h"

enum { HOLDERS_MAX = 8192 };

struct holder {
	int fd; /* -1: it is not open yet */
	char slot[SLOT_MOST + 1];
	enum lock_kind kind;
	uint32_t device; /* of the guest's */
	uint64_t owner, inode;
	bool held;        /* it has a lock, or had one and has not said that it was the last */
	bool writable;    /* as far as the file lets anybody */
	uint32_t waiting; /* requests that use the descriptor now */
	int next;         /* of the same hash, or of the free ones; -1: none */
	struct work closing;
};

/* At most so many descriptors, which the process must be able to open. */
void holders_open(uint32_t most);

/* NULL: nobody. */
struct holder *holder_find(enum lock_kind kind, uint64_t owner, uint32_t device, uint64_t inode);

/* One for a file of a slot, which is going to be opened; NULL: there are too many. */
struct holder *holder_add(enum lock_kind kind, uint64_t owner, uint32_t device, uint64_t inode, const char *slot);

/* Nobody finds it any more; its descriptor is the caller's, who frees it. */
void holder_remove(struct holder *holder);
void holder_free(struct holder *holder);

/* Close it, when its file's turn comes, unless it has a lock, or waits for one. */
void holder_settle(struct holder *holder);

#endif
