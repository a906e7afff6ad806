/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-disk: what the monitor starts in the sandbox for files of the container that only root may have opened.
 *
 *     dkvm-disk prepare ROOT PATH FILESYSTEM BYTES
 *     dkvm-disk line ROOT PATH
 *
 * The first makes the backing file PATH below ROOT fit to be a disk. The second prints the first line of a regular file, of at most
 * 1024 bytes; links are followed below ROOT.
 * What there is to say goes to standard output. Exit code 0: all well; 1: not, and the output says why.
 */
#include "common/files.h"
#include "common/place.h"
#include "sandbox/backing/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static int usage(void)
{
	printf("usage: dkvm-disk prepare ROOT PATH FILESYSTEM BYTES | line ROOT PATH\n");
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

static int not_read(int error)
{
	char text[64];

	printf("%s\n", error == -EINVAL ? "it is no regular file" : error_text(error, text));
	return 1;
}

static int line(const char *root_path, const char *path)
{
	char text[LINE_MAX_BYTES];
	auto_close int root = open(root_path, O_PATH | O_CLOEXEC);
	auto_close int fd = root < 0 ? -errno : place_read(root, path);

	if (fd < 0)
		return not_read(fd);
	ssize_t n = read(fd, text, sizeof text);

	if (n < 0)
		return not_read(-errno);
	const char *end = memchr(text, '\n', (size_t)n);
	size_t length = end ? (size_t)(end - text) : (size_t)n;

	return fwrite(text, 1, length, stdout) == length ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "prepare") == 0)
		return prepare(argv + 2);
	if (argc == 4 && strcmp(argv[1], "line") == 0)
		return line(argv[2], argv[3]);
	return usage();
}
