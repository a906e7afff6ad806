/* SPDX-License-Identifier: Apache-2.0 */
/* Where what arrives at a device goes: queueing disciplines and filters of tc(8), by rtnetlink. All return 0 or -errno. */
#ifndef DKVM_REDIRECT_H
#define DKVM_REDIRECT_H

#include "sandbox/network/guard.h"

/* A TCP port of the device's addresses at which this namespace listens itself; 0: none. */
typedef uint16_t own_port;

/* Let what arrives at a device be filtered. */
int redirect_begin(uint32_t device);

/* Take that and every filter away. */
int redirect_end(uint32_t device);

/*
 * What arrives at the device goes to the tap, but the answers to this namespace's own sockets (the engine's resolver's, and those of
 * containers that joined this one's network), which are told apart by a range of ports that is theirs, and what is for the port. The
 * device keeps its addresses: only replies of ARP and neighbour discovery reach this namespace, so it never answers for the VM, unless
 * it listens itself.
 */
int redirect_to_tap(uint32_t device, uint32_t tap, own_port port);

/* What arrives at the tap, which is what the VM sends, goes to the device. */
int redirect_from_tap(uint32_t tap, uint32_t device);

/* Drop what the VM sends in another's name. It may be done again, with another identity. -ENOENT: the kernel has no cls_bpf. */
int redirect_guard(uint32_t tap, const struct identity *identity);

#endif
