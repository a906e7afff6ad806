/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-disk: what the monitor starts in the sandbox when a container has disks.
 *
 *     dkvm-disk prepare ROOT PATH FILESYSTEM BYTES
 *     dkvm-disk run [FD ROOT PATH]... -- PROGRAM [ARGUMENT]...
 *
 * The first makes the backing file PATH below ROOT fit to be a disk. The second opens such files, locks them, and becomes
 * PROGRAM with each of them as descriptor FD: the locks last as long as it does.
 * What there is to say goes to standard output. Exit code 0: all well; 1: not, and the output says why.
 */
#include "sandbox/disk/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void)
{
	printf("usage: dkvm-disk prepare ROOT PATH FILESYSTEM BYTES | run [FD ROOT PATH]... -- PROGRAM "
	       "[ARGUMENT]...\n");
	return 2;
}

static int prepare(char **argv)
{
	struct failure why;
	char *end;
	int64_t bytes = strtoll(argv[3], &end, 10);

	if (*end || bytes <= 0)
		return usage();
	int r = backing_prepare(argv[0], argv[1], argv[2], bytes, &why);
	if (why.text[0])
		printf("%s\n", why.text);
	return r < 0 ? 1 : 0;
}

/* Give the file its number in the program. */
static int place_at(int fd, int number)
{
	if (fd == number)
		return fcntl(fd, F_SETFD, 0);
	/* not over another one's: descriptors are given from the lowest on, numbers are chosen above them */
	if (fcntl(number, F_GETFD) >= 0 || dup2(fd, number) < 0)
		return -1;
	return close(fd);
}

static int run(char **argv)
{
	struct failure why;
	int fd;

	for (; argv[0] && strcmp(argv[0], "--") != 0; argv += 3) {
		if (!argv[1] || !argv[2] || strcmp(argv[1], "--") == 0)
			return usage();
		if (backing_open(argv[1], argv[2], &fd, &why) < 0) {
			printf("disk \"%s\" %s\n", argv[2], why.text);
			return 1;
		}
		if (place_at(fd, atoi(argv[0])) < 0) {
			printf("disk \"%s\" can not be descriptor %s\n", argv[2], argv[0]);
			return 1;
		}
	}
	if (!argv[0] || !argv[1])
		return usage();
	execv(argv[1], argv + 1);
	printf("can not start %s: %s\n", argv[1], strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "prepare") == 0)
		return prepare(argv + 2);
	if (argc > 3 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	return usage();
}
