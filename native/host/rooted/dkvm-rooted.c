/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-rooted: what is done with paths that an image, or a volume, chose, outside the VM.
 *
 *     dkvm-rooted make ROOT [directory PATH | file PATH]...
 *     dkvm-rooted head ROOT PATH BYTES
 *
 * The first makes mount points, for a root that the guest may not write to. The second prints the beginning of a regular file, and
 * nothing of all else. Links are followed below ROOT, whatever they say, and nothing is waited for.
 * Exit code 0: done; 1: not, and of "make" standard output says why.
 */
#include "common/files.h"
#include "common/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_MAX = 4096 }; /* bytes */

static int usage(void)
{
	printf("usage: dkvm-rooted make ROOT [directory PATH | file PATH]... | head ROOT PATH BYTES\n");
	return 2;
}

static int make_one(int root, const char *kind, const char *path)
{
	char text[64];
	bool directory = strcmp(kind, "directory") == 0;

	if (!directory && strcmp(kind, "file") != 0)
		return usage();
	auto_close int place = place_make(root, path, directory);
	if (place < 0)
		printf("mount point %s can not be made: %s\n", path, error_text(place, text));
	return place < 0 ? 1 : 0;
}

static int make(int root, char **argv)
{
	int result = 0;

	umask(0022);
	for (; argv[0] && result == 0; argv += 2)
		result = argv[1] ? make_one(root, argv[0], argv[1]) : usage();
	return result;
}

static int head(int root, const char *path, const char *bytes)
{
	char buffer[HEAD_MAX], *end;
	unsigned long most = strtoul(bytes, &end, 10);

	if (*end != '\0' || most == 0 || most > sizeof buffer)
		return usage();
	auto_close int fd = place_read(root, path);
	if (fd < 0)
		return 1;
	ssize_t n = read(fd, buffer, most);
	return n < 0 || fwrite(buffer, 1, (size_t)n, stdout) != (size_t)n ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return usage();
	auto_close int root = open(argv[2], O_PATH | O_CLOEXEC);
	if (root < 0) {
		printf("%s is not there\n", argv[2]);
		return 1;
	}
	if (strcmp(argv[1], "make") == 0)
		return make(root, argv + 3);
	if (strcmp(argv[1], "head") == 0 && argc == 5)
		return head(root, argv[3], argv[4]);
	return usage();
}
