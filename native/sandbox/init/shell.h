/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell in the sandbox, on the container's own terminal, at a point of the launch (DKVM_BREAK). It is the
 * terminal's foreground process as from any login: keys, size and signals go to it, not to dkvm-init.
 */
#ifndef DKVM_SHELL_H
#define DKVM_SHELL_H

#include "sandbox/client/rawmode.h"

#include <sys/types.h>

/*
 * Start it on stdin's terminal, which gets its mode back for that time; point has CLIENT_MAX_POINT bytes at most.
 * Returns its pid or -errno.
 */
pid_t shell_start(struct rawmode *mode, const char *point);

/* It has been reaped: take the terminal, raw again, whatever mode the shell left it in. */
void shell_ended(struct rawmode *mode);

#endif
