/* SPDX-License-Identifier: Apache-2.0 */
/* Name servers of the sandbox's loopback as the guest sees them at its own: relayed over the channel. */
#ifndef DKVM_DNS_H
#define DKVM_DNS_H

#include "common/frame.h"
#include "common/failure.h"

/*
 * Listen where /etc/resolv.conf names 127.0.0.11, Docker's; in a network namespace of others wherever it names an address
 * of the loopback. Nothing is done where somebody listens already.
 */
int dns_open(bool shared_network, struct failure *error);

/* Take a DNS_ANSWER. */
void dns_answer(const struct frame *frame);

/* Forget queries and connections that are too old. Returns the milliseconds to the next deadline, -1: none. */
int dns_tick(void);

#endif
