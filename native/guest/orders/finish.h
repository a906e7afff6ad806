/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the machine. */
#ifndef DKVM_FINISH_H
#define DKVM_FINISH_H

/* Kill every process but the agent and reap them. */
void finish_processes(void);

/* Unmount and write back everything, and leave the image as it was. */
void finish_mounts(void);

_Noreturn void finish_power_off(void);

#endif
