/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the host as the guest has them: at the same place, with the same owner and mode, and relayed over the channel. */
#ifndef DKVM_GUESTSOCKETS_H
#define DKVM_GUESTSOCKETS_H

#include "common/frame.h"
#include "guest/records/container.h"

/* Make the socket with that number and mount it on target, which is there. Returns 0 or -errno. */
int guest_socket_mount(const struct container *container, const char *number, const char *target);

/* Take a socket frame, or one of a connection that is forwarded. Returns 0 or -EPROTO. */
int guest_sockets_frame(const struct frame *frame);

/* The channel takes data again. */
void guest_sockets_room(void);

/*
 * The workload is gone, and nobody sends any more: whether all that was sent has been handed on to the real sockets. Asked until it
 * is so.
 */
bool guest_sockets_drained(void);

/* Close them all, and say nothing more. */
void guest_sockets_end(void);

#endif
