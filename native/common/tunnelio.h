/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel's bytes and messages: from its local socket to the channel, and from the channel to its local socket. */
#ifndef DKVM_TUNNELIO_H
#define DKVM_TUNNELIO_H

#include "common/tunnel.h"

/* Append what came to what waits for the local socket. Returns 0, -ENOMEM, -ENOBUFS. */
int tunnel_keep(struct tunnel *tunnel, const uint8_t *bytes, size_t size);

/*
 * Write to the local socket from what waits. Returns the bytes that are done with, 0 while a message is not complete, -EAGAIN,
 * another -errno.
 */
long tunnel_write(struct tunnel *tunnel);

/* Read once and send it; there are credit and room. Returns 0, -EAGAIN, another -errno. */
int tunnel_read(struct tunnel *tunnel, uint32_t stream, uint32_t events);

/* Send what is left of a message. */
void tunnel_send_rest(struct tunnel *tunnel, uint32_t stream);

#endif
