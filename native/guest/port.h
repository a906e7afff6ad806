/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-serial port that leads to the monitor. */
#ifndef DKVM_PORT_H
#define DKVM_PORT_H

/*
 * Wait until the port is there and open it, non-blocking; its node is taken out of /dev. sys is the mounted
 * sysfs, dev the mounted devtmpfs. Returns the descriptor or -errno; -ETIMEDOUT after PORT_WAIT_MILLIS.
 */
int port_open(int sys, int dev);

enum { PORT_WAIT_MILLIS = 60000 };

#endif
