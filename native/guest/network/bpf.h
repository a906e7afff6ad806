/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small programs in the kernel at the root of the control groups (bpf(2)): one kind tells when a program begins or ends
 * to listen, the other leads connections to the loopback at which nobody listens here to the loopback of the namespace
 * outside.
 */
#ifndef DKVM_BPF_H
#define DKVM_BPF_H

#include <stdint.h>

/*
 * Load and attach them. outer is the IPv4 address that leads outside. Returns a descriptor that is readable when somebody
 * may listen that did not before, or no longer does, or -errno from a kernel that has no such events.
 */
int bpf_open(const uint8_t outer[static 4]);

/* Forget what was told: the descriptor is readable anew from the next event on. */
void bpf_drain(void);

#endif
