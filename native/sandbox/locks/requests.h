/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest asks for, and its answers: the files are opened and locked in lanes. */
#ifndef DKVM_REQUESTS_H
#define DKVM_REQUESTS_H

#include "sandbox/locks/lockedfile.h"

struct request {
	uint64_t id, owner, inode;
	uint32_t device;
	enum lock_operation operation;
	uint8_t flags;
	struct range range;
	const char *path;
};

/* Of files below the directory share. */
int requests_open(int share);

/* Do what a request wants, and answer it. */
void requests_add(const struct request *request);

/* One that waits, for its file or for a lock, waits no longer. */
void requests_withdraw(uint64_t id);

#endif
