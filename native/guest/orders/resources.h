/* SPDX-License-Identifier: Apache-2.0 */
/* The workload's limits changed while it runs (LIMITS). */
#ifndef DKVM_RESOURCES_H
#define DKVM_RESOURCES_H

#include "common/frame.h"

#include <sys/types.h>

/* Begin; LIMITS_DONE is sent when a process of its own has done it. Returns -EPROTO for a frame that is not allowed now. */
int resources_take(const struct frame *frame);

/* Whether the child that ended was that process. */
bool resources_reaped(pid_t pid, int status);

#endif
