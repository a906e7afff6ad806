/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of DNS messages and their framing over TCP (RFC 1035, 4.2). Pure: no system calls. */
#ifndef DKVM_DNSMESSAGE_H
#define DKVM_DNSMESSAGE_H

#include "common/span.h"

#include <stdbool.h>

enum {
	DNS_MIN = 12,              /* bytes: a header */
	DNS_MAX = 65535,           /* bytes */
	DNS_TCP_MAX = 2 + DNS_MAX, /* bytes: with its length before it */
};

/*
 * Take the first message out of what a connection sent. Returns the bytes it takes, 0 when more are needed,
 * -EPROTO for one that is too short to be a message.
 */
long dns_tcp_take(const uint8_t *bytes, size_t size, struct span *message);

/* Take the next name server out of the rest of a resolv.conf(5); false when there is none. */
bool resolv_next(const char **rest, struct span *server);

#endif
