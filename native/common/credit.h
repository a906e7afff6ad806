/* SPDX-License-Identifier: Apache-2.0 */
/* Credit as its two sides keep it. */
#ifndef DKVM_CREDIT_H
#define DKVM_CREDIT_H

#include "common/frame.h"

#include <errno.h>

enum { CREDIT_PIECE = 16384 }; /* bytes: less is not worth a frame */

/* The receiver's side: what the sender may still send, and what was handed on but not yet given back. */
struct credit_window {
	uint32_t open, owed; /* bytes */
};

static inline int credit_received(struct credit_window *window, uint32_t size)
{
	if (size > window->open)
		return -EPROTO;
	window->open -= size;
	return 0;
}

/* Bytes were handed on. Returns the credit to give back now, 0: wait for more. */
static inline uint32_t credit_handed_on(struct credit_window *window, uint32_t size)
{
	uint32_t give = window->owed + size;

	if (give < CREDIT_PIECE) {
		window->owed = give;
		return 0;
	}
	window->owed = 0;
	window->open += give;
	return give;
}

/* The sender's side: more credit came. */
static inline int credit_add(uint32_t *credit, uint32_t more)
{
	if (more > FRAME_CREDIT - *credit)
		return -EPROTO;
	*credit += more;
	return 0;
}

#endif
