/* SPDX-License-Identifier: Apache-2.0 */
/* Every signal, 1 to 64, as something to read: nothing interrupts and nothing kills. */
#ifndef DKVM_SIGNALS_H
#define DKVM_SIGNALS_H

#include <stdint.h>

/*
 * Block every signal and return a non-blocking signalfd(2) of them all, or -errno. Each has its default action
 * from now on; *ignored gets those that were ignored: signal n is bit n - 1, as in
 * /proc/PID/status.
 */
int signals_take(uint64_t *ignored);

/*
 * Nothing blocked, and every inherited disposition undone: what a child does before it executes a program.
 * The signals of the set are ignored, the others have their default action.
 */
void signals_reset(uint64_t ignored);

#endif
