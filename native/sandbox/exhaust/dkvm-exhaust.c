/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-exhaust BYTES: takes memory until the kernel kills it, or until it has that much.
 *
 * A container whose workload needs more memory than it may have is known to its engine by an event of its control group
 * (State.OOMKilled, "docker events"). A VM runs out of its own memory, and no group hears of it. The monitor starts this
 * program, after the VM is gone, so that the group has that event. It asks to be the one that is killed.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EXIT_USAGE = 125, EXIT_NO_MEMORY = 1 };

#define PIECE ((size_t)16 * 1024 * 1024) /* bytes */

/* proc(5): 1000 is the highest; raising one's own needs no right. */
static bool prefer_me(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, "1000", 4) == 4;

	if (fd >= 0)
		close(fd);
	return done;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	unsigned long long bytes = argc == 2 ? strtoull(argv[1], &end, 10) : 0;

	if (!end || *end || bytes == 0 || bytes == ULLONG_MAX) {
		fprintf(stderr, "usage: dkvm-exhaust BYTES\n");
		return EXIT_USAGE;
	}
	if (!prefer_me()) {
		perror("dkvm-exhaust: oom_score_adj");
		return EXIT_NO_MEMORY;
	}
	for (unsigned long long taken = 0; taken < bytes; taken += PIECE) {
		void *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (piece == MAP_FAILED) {
			perror("dkvm-exhaust: mmap");
			return EXIT_NO_MEMORY;
		}
		madvise(piece, PIECE, MADV_HUGEPAGE);
		memset(piece, 1, PIECE);
	}
	return 0;
}
