/* SPDX-License-Identifier: Apache-2.0 */
/* Where qemu-exit in the workload says with which code its VM is to end. */
#ifndef DKVM_EXIT_SOCKET_H
#define DKVM_EXIT_SOCKET_H

void exit_socket_open(void);
void exit_socket_close(void);

/* What was said; -1: nothing. */
int exit_socket_code(void);

#endif
