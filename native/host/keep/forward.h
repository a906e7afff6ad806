/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to localhost in a pod's network namespace, where no server listens: it is in the VM. containerd makes them for
 * "kubectl port-forward". A program of BPF in that namespace leads them to two sockets that dkvm-forward has in the pod's sandbox. They
 * are made here, as it takes rights that no sandbox has, and handed down by runc:
 *
 *     3    listens at 127.0.0.1
 *     4    listens at ::1; nothing of the kind where there is no IPv6
 *     5    the program's place: it goes when nobody has this open any more
 */
#ifndef DKVM_FORWARD_H
#define DKVM_FORWARD_H

#include "common/failure.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

enum { FORWARD_FIRST = 3, FORWARD_HANDED = 3, FORWARD_INSTRUCTIONS = 64 };

/*
 * The program: TCP to the loopback, or from an address to itself, goes to the socket of the map that is of its family, if it is not for
 * the port own, at which the sandbox itself listens; 0: there is none. Returns the number of instructions.
 */
size_t forward_program(struct bpf_insn code[static FORWARD_INSTRUCTIONS], int map, uint16_t own);

/*
 * Make all of that for the network namespace at path; the descriptors are inherited by the next program. 0 or -errno: nothing is left of
 * it. It ends the process if it can not come back to the namespace that it was called in.
 */
int forward_open(const char *path, uint16_t own, struct failure *failure);

#endif
