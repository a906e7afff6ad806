/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's name server as the guest sees it: 127.0.0.11, relayed over the channel. */
#ifndef DKVM_DNS_H
#define DKVM_DNS_H

#include "frame.h"
#include "setup.h"

/* Listen where /etc/resolv.conf names 127.0.0.11; nothing where that is done already. */
int dns_open(struct setup_error *error);

/* Take a DNS_ANSWER. */
void dns_answer(const struct frame *frame);

/* Forget queries and connections that are too old. Returns the milliseconds to the next deadline, -1: none. */
int dns_tick(void);

#endif
