/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the namespace become a VM's, and are given back. */
#ifndef DKVM_TAKEOVER_H
#define DKVM_TAKEOVER_H

#include "sandbox/network/takeover_order.h"

/* What holds for every device of the sandbox. */
struct takeover_policy {
	uint32_t owner; /* the uid that may open taps */
	bool guarded;   /* the VM sends in its own name only */
};

/* Why something could not be done, for people. */
struct takeover_fault {
	char text[ANSWER_MOST - ORDER_LENGTH - 1];
};

/*
 * Do what is asked. 0, or -errno, with the reason in fault; nothing of a device that could not be
 * taken over is left.
 */
int takeover_do(const struct takeover_order *order, const struct takeover_policy *policy, struct takeover_fault *fault);

/* Whether the kernel has all that it takes: a tap is made, guarded, and redirected to the loopback. */
int takeover_check(struct takeover_fault *fault);

#endif
