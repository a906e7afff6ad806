/* SPDX-License-Identifier: Apache-2.0 */
/* HELLO: the agent is there, and which kernel it is on. */
#ifndef DKVM_HELLO_H
#define DKVM_HELLO_H

void hello_say(void);

#endif
