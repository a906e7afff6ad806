/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of this namespace's network, told by rtnetlink(7). */
#ifndef DKVM_WATCH_H
#define DKVM_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/* A socket that is readable when interfaces, addresses or routes have changed; or -errno. */
int watch_open(void);

/* Read all that it tells. True when some of it is the engine's doing. */
bool watch_drain(int socket);

/*
 * Whether one of these messages tells of more than what DKVM and the kernel do themselves: taps, link-local addresses, routes
 * that come with addresses.
 */
bool watch_matters(const void *messages, size_t size);

#endif
