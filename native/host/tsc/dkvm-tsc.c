/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-tsc: prints how fast the processor's time stamp counter runs, in kHz.
 *
 * No file of the kernel tells it to every user; it is measured against the system's clock.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

enum {
	TRIES = 16,
	WAIT_NANOS = 25 * 1000 * 1000, /* so that a reading's error of 100 ns is 8 millionths of it at most */
};

struct reading {
	uint64_t nanos;
	uint64_t ticks;
};

static uint64_t clock_nanos(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Both clocks at one moment: the attempt that was least disturbed counts. */
static struct reading read_both(void)
{
	struct reading best = {0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc();
		uint64_t nanos = clock_nanos();
		uint64_t after = __rdtsc();

		if (after - before < least) {
			least = after - before;
			best = (struct reading){nanos, before + least / 2};
		}
	}
	return best;
}

int main(void)
{
	const struct timespec pause = {.tv_nsec = WAIT_NANOS};
	struct reading first = read_both();

	nanosleep(&pause, NULL);
	struct reading last = read_both();

	printf("%llu\n", (unsigned long long)((last.ticks - first.ticks) * 1000000u / (last.nanos - first.nanos)));
	return 0;
}
