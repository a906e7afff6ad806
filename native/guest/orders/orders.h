/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor orders, in the order the protocol allows it. */
#ifndef DKVM_ORDERS_H
#define DKVM_ORDERS_H

/* Start to take orders from the port. */
int orders_open(int port);

/* Do what is due. Returns the milliseconds to the next deadline, -1: none. */
int orders_tick(void);

#endif
