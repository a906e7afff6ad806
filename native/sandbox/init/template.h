/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a VM that is restored: a copy of its template's, made while the monitor starts.
 *
 *     memory    pieces, one after the other: offset 8 | length 8 | so many bytes. Little-endian. What no piece covers is zero
 */
#ifndef DKVM_TEMPLATE_H
#define DKVM_TEMPLATE_H

#include "sandbox/init/launch.h"

#include <stdbool.h>
#include <stdint.h>

/* What --template says: DIRECTORY:BYTES, with the files "memory" and "state", and the size of the VM's memory. */
struct template_option {
	const char *directory; /* NULL: none */
	uint64_t size;
};

bool template_parse(struct template_option *option, char *text);

/* Begin to copy it. Whatever fails is told to who asks for the memory. */
void template_begin(const struct template_option *option);

/* Wait for the copy. A descriptor of it, or -errno and why. */
int template_memory(struct launch_fault *fault);

/* A descriptor of its devices' state, to read from, or -errno and why. */
int template_state(struct launch_fault *fault);

/* Nobody asks for them any more. */
void template_end(void);

/* Copy pieces from a file into memory of that size. 0, or -errno. */
int template_copy(int from, int to, uint64_t size);

#endif
