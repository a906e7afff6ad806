/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way out of a session: bytes that came from the monitor and wait until standard output or error takes
 * them.
 */
#ifndef DKVM_OUTLET_H
#define DKVM_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/client/endpoint.h"

struct outlet {
	struct endpoint *endpoint;
	uint8_t *bytes; /* a ring */
	size_t size;
	size_t head; /* where the oldest byte is */
	size_t used;
};

/* Put bytes in. False, and nothing is taken, when there is no room. */
bool outlet_put(struct outlet *outlet, const uint8_t *bytes, size_t length);

/* Write what the endpoint takes now; returns how many bytes went, thrown away ones included. */
size_t outlet_flush(struct outlet *outlet);

#endif
