/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel remembers of files given back (SHED): each of them is a file that virtiofsd has open. */
#ifndef DKVM_SHED_H
#define DKVM_SHED_H

#include "common/frame.h"

#include <stdbool.h>
#include <sys/types.h>

/* Begin; SHED_DONE is sent when a process of its own has done it. Returns -EPROTO for a frame that is not allowed now. */
int shed_take(const struct frame *frame);

/* Whether the child that ended was that process. */
bool shed_reaped(pid_t pid);

#endif
