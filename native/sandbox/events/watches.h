/* SPDX-License-Identifier: Apache-2.0 */
/* Which watches of the guest's are served by which of the kernel's: the kernel has one for each file or directory, by whatever path it was
 * found. */
#ifndef DKVM_WATCHES_H
#define DKVM_WATCHES_H

#include <stdbool.h>
#include <stdint.h>

enum { WATCHES_MAX = 8192 }; /* numbers of the guest's go from 1 to this */

/* Whether the guest has a watch of that number. */
bool watches_has(uint32_t number);

/* A number that is free is served by this watch descriptor from now on; see inotify_add_watch(2). */
void watches_add(uint32_t number, int descriptor);

/* Forget a number. Returns the descriptor where nobody else is served by it, else -1. */
int watches_remove(uint32_t number);

/* The kernel has removed it. */
void watches_gone(int descriptor);

/* The numbers that a descriptor serves: the first after number, of all after 0; 0: no more. */
uint32_t watches_next(int descriptor, uint32_t number);

#endif
