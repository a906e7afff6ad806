/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor asks what the guest uses (USAGE_ASK). */
#ifndef DKVM_USAGE_ORDER_H
#define DKVM_USAGE_ORDER_H

#include "common/frame.h"

#include <stdbool.h>
#include <sys/types.h>

/* Begin; USAGE is sent when a process of its own has looked. One that comes meanwhile has no answer of its own. Returns 0 or -EPROTO. */
int usage_take(const struct frame *frame);

/* Whether the child that ended was that process. */
bool usage_reaped(pid_t pid, int status);

#endif
