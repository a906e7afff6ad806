/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal: raw while a session lasts, because the guest's own terminal does the cooking. */
#ifndef DKVM_RAWMODE_H
#define DKVM_RAWMODE_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct rawmode {
	int fd;
	bool raw;
	struct termios saved;
};

/* Put fd into raw mode; no effect when it is no terminal. */
void rawmode_enter(struct rawmode *mode, int fd);

/* Give it its mode back. */
void rawmode_leave(struct rawmode *mode);

/* The size of the terminal fd in characters; 0 by 0 when unknown. */
void window_size(int fd, uint16_t *rows, uint16_t *columns);

#endif
