/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_TERMINAL_H
#define DKVM_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * In the child: make a terminal of the workload's own /dev/pts, give its slave to descriptors 0, 1 and 2 and to the
 * session. Its master is returned, or -errno. With console it is /dev/console as well.
 */
int terminal_open(uint16_t rows, uint16_t columns, uint32_t owner, bool console);

/*
 * In the child: make a device of /dev the terminal of the session and give it to descriptors 0, 1 and 2. With console it
 * is /dev/console as well. Returns 0 or -errno.
 */
int terminal_use(const char *device, uint32_t owner, bool console);

/* Tell a terminal its size. */
void terminal_resize(int master, uint16_t rows, uint16_t columns);

#endif
