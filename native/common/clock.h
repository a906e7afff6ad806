/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_CLOCK_H
#define DKVM_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds since boot. */
static inline uint64_t boot_nanos(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Milliseconds of a clock that only goes forward. */
static inline int64_t now_millis(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
