/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-network, which dkvm-init starts first. */
#ifndef DKVM_INIT_NETWORK_H
#define DKVM_INIT_NETWORK_H

#include "common/rights.h"

#include <stdbool.h>

/*
 * Start it with these rights; it serves the monitor at path, and QEMU, as owner, may open the taps that it makes. guarded: what the VM sends in another's name is
 * dropped. Its messages go to
 * log. Returns the end of a pipe at which it tells of changes, or -errno.
 */
int network_start(const struct rights *rights, uint32_t owner, bool guarded, const char *path, int log);

/* Whether it has told of a change; all that it told is read. */
bool network_changed(int pipe);

#endif
