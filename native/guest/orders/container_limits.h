/* SPDX-License-Identifier: Apache-2.0 */
/* Other limits for a member that runs (CONTAINER_LIMITS). */
#ifndef DKVM_CONTAINER_LIMITS_H
#define DKVM_CONTAINER_LIMITS_H

#include "common/frame.h"

#include <stdbool.h>
#include <sys/types.h>

/* Take the order; a child carries it out, and what it ends with is the answer. Returns 0 or -EPROTO. */
int container_limits_take(const struct frame *frame);

/* Whether this was such a child. */
bool container_limits_reaped(pid_t pid, int status);

#endif
