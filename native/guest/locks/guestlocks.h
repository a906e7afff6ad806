/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks of files in volumes, which others on the host use, too: what the kernel asks is sent to the host, and its answers are handed back.
 * protocol/PROTOCOL.md, "Locks". A kernel that does not ask has its locks for itself.
 */
#ifndef DKVM_GUESTLOCKS_H
#define DKVM_GUESTLOCKS_H

#include "common/frame.h"

/* Have the kernel ask from now on, if it can. Before the workload starts: who opens the device first has it. */
void guest_locks_open(void);

/* Take a LOCK_ANSWER. Returns 0 or -EPROTO. */
int guest_locks_frame(const struct frame *frame);

/* The channel takes data again. */
void guest_locks_room(void);

/* Nothing is asked, or waited for, any more: before processes are ended that would wait for answers. */
void guest_locks_end(void);

#endif
