/* SPDX-License-Identifier: Apache-2.0 */
/* The network changes while the machine runs: NETWORK and NETWORK_SET of protocol/PROTOCOL.md. */
#ifndef DKVM_NETCHANGE_H
#define DKVM_NETCHANGE_H

#include "common/frame.h"

/*
 * Take a NETWORK. It is done as soon as every NIC that it names is there, and answered then; a later one takes the place of one
 * that still waits. Returns 0 or -EPROTO.
 */
int netchange_take(const struct frame *frame);

#endif
