/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor asks dkvm-network for, and what it is answered, in order. Little-endian; a request and an answer each begin with
 * the length of what follows, 2 bytes, and the request's number, 2 bytes: an answer has that of its request. Before the first request
 * there is one with the number 0.
 *
 *     request   kind 1 | tap, 16 bytes, padded with zeros | by kind:
 *       TAKE    device's index 4 | its name 16 | MTU 4 | port of the sandbox's own 2, 0: none
 *       REMOVE  nothing
 *       RELEASE device's name 16
 *       GUARD   nothing: the device behind the tap has other addresses
 *     answer    0: done, 1: not | text, why not
 */
#ifndef DKVM_TAKEOVER_ORDER_H
#define DKVM_TAKEOVER_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NAME_SIZE = 16,    /* bytes: IFNAMSIZ */
	ORDER_LENGTH = 4,  /* bytes before each message: its length, and a number */
	ORDER_MOST = 64,   /* bytes of a request */
	ANSWER_MOST = 512, /* bytes of an answer */
	MTU_LEAST = 68,    /* RFC 791 */
	MTU_MOST = 65535,
};

enum order_kind { ORDER_TAKE = 1, ORDER_REMOVE = 2, ORDER_RELEASE = 3, ORDER_GUARD = 4 };

struct takeover_order {
	enum order_kind kind;
	char tap[NAME_SIZE];
	char device[NAME_SIZE];
	uint32_t index;
	uint32_t mtu;
	uint16_t own_port;
};

/* Read a request without its length. false: it is not well-formed. */
bool takeover_order_read(struct takeover_order *order, const uint8_t *bytes, size_t size);

#endif
