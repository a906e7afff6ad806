/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-disk: what the monitor starts in the sandbox when a container has disks.
 *
 *     dkvm-disk prepare ROOT PATH FILESYSTEM BYTES
 *
 * Makes the backing file PATH below ROOT fit to be a disk.
 * What there is to say goes to standard output. Exit code 0: all well; 1: not, and the output says why.
 */
#include "sandbox/backing/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void)
{
	printf("usage: dkvm-disk prepare ROOT PATH FILESYSTEM BYTES\n");
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

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "prepare") == 0)
		return prepare(argv + 2);
	return usage();
}
