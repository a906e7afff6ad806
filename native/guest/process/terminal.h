/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_TERMINAL_H
#define DKVM_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

enum terminal_role {
	TERMINAL_OF_SESSION, /* the session's controlling terminal */
	TERMINAL_CONSOLE,    /* the same, and /dev/console as well */
	TERMINAL_MACHINE,    /* /dev/console, and no session's yet: a login takes it */
};

/*
 * In the child: make a terminal of the workload's own /dev/pts and give its slave to descriptors 0, 1 and 2. Its master is
 * returned, or -errno.
 */
int terminal_open(uint16_t rows, uint16_t columns, uint32_t owner, enum terminal_role role);

/* In the child: make a device of /dev the terminal and give it to descriptors 0, 1 and 2. Returns 0 or -errno. */
int terminal_use(const char *device, uint32_t owner, enum terminal_role role);

/* Open the slave of a master, so that the terminal stays when nobody else has it open. The descriptor, or -errno. */
int terminal_open_slave(int master);

/* Tell a terminal its size. */
void terminal_resize(int master, uint16_t rows, uint16_t columns);

#endif
