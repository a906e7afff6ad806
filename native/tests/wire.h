/* SPDX-License-Identifier: Apache-2.0 */
/* A test in the place of the monitor that a program has connected to: frames to it, and from it. */
#ifndef DKVM_WIRE_H
#define DKVM_WIRE_H

#include "common/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum { PATIENCE = 20000 }; /* ms: the end of a hang, and no measure of speed */

extern int channel;        /* the connection; -1: none */
extern struct frame frame; /* the last that came */

/* Accept a program's connection: nothing of the one before is left. */
void wire_accept(int listener);

/* Close it, and forget what came. */
void wire_end(void);

/* Send a frame. */
void say(uint8_t type, uint32_t stream, const void *payload, uint32_t size);

/* The next frame; false at the end of the connection, or where none comes in time. */
bool next_frame(void);

/* Whether nothing has come, and nothing comes for a moment. */
bool is_silent(void);

#endif
