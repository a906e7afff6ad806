/* SPDX-License-Identifier: Apache-2.0 */
/* Connections from the host to localhost of the pod, which lead to servers of the guest: protocol/PROTOCOL.md, "Forwarded connections". */
#ifndef DKVM_GUESTFORWARDS_H
#define DKVM_GUESTFORWARDS_H

#include "common/frame.h"

/*
 * Take FORWARD_OPEN: connect to where it leads in the network of this process, which is the loopback or an address of its own. What comes
 * of that is told by frames of the connection. Returns 0 or -EPROTO.
 */
int guest_forward_open(const struct frame *frame);

#endif
