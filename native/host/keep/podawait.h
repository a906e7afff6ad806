/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's VM is asked whether it has something left of a member. */
#ifndef DKVM_PODAWAIT_H
#define DKVM_PODAWAIT_H

#include <stdint.h>

/*
 * Wait until the guest has unmounted what a member had, or for a few seconds: its first process may have been killed on the host alone, and run on
 * in the guest for a moment. socket: the pod's directory of that name, which the VM's sandbox writes to; nothing that it says is believed.
 */
void podawait_end(int socket, uint32_t number);

#endif
