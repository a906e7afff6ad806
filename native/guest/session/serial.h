/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal that goes on over a serial port: what programs write to it leaves by the port, what arrives there is
 * its input. There is one, the main session's.
 */
#ifndef DKVM_SERIAL_H
#define DKVM_SERIAL_H

#include <stdint.h>

/* Open the port, a name in /dev. Returns 0 or -errno. */
int serial_open(const char *name);

/* Join it with the terminal, whose master is not blocking and is taken over. */
void serial_join(int master);

void serial_resize(uint16_t rows, uint16_t columns);

/* The terminal's programs are gone: what they wrote leaves, or time is up. Nothing where no port is open. */
void serial_finish(void);

#endif
