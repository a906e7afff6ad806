/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-rooted: what is done with paths that an image, or a volume, chose, outside the VM.
 *
 *     dkvm-rooted make ROOT [directory PATH | file PATH]...
 *     dkvm-rooted answer
 *
 * The first makes mount points, for a root that the guest may not write to. Exit code 0: done; 1: not, and standard output says why.
 * The second is asked on standard input, until its end, for the beginnings of files, and answers on standard output. Little-endian:
 *
 *     question  bytes wanted 4 | length of ROOT 2 | of PATH 2 | ROOT | PATH
 *     answer    number of bytes 4, or UINT32_MAX: there is no such regular file, or it can not be read | they
 *
 * Links are followed below ROOT, whatever they say, and nothing is waited for. ROOT may be the file itself; then PATH is empty.
 */
#include "common/files.h"
#include "common/frame.h"
#include "common/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD_MAX = 65536, /* bytes */
	PATIENCE = 10,    /* s */
};

static int usage(void)
{
	printf("usage: dkvm-rooted make ROOT [directory PATH | file PATH]... | answer\n");
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

static bool read_all(void *buffer, size_t size)
{
	return fread(buffer, 1, size, stdin) == size;
}

/* The beginning of the file, or -errno. */
static ssize_t head(const char *root_path, const char *path, uint8_t *buffer, size_t most)
{
	auto_close int root = open(root_path, O_PATH | O_CLOEXEC);
	auto_close int fd = root < 0 ? -errno : place_read(root, path);
	size_t got = 0;

	if (fd < 0)
		return fd;
	while (got < most) {
		ssize_t n = read(fd, buffer + got, most - got);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* One question. false: it was the last, or none of ours. */
static bool answer(void)
{
	static char root[PATH_MAX], path[PATH_MAX];
	static uint8_t bytes[HEAD_MAX];
	uint8_t header[8], length[4];

	if (!read_all(header, sizeof header))
		return false;
	uint32_t most = get_u32(header);
	size_t root_size = get_u16(header + 4), path_size = get_u16(header + 6);

	if (most > sizeof bytes || root_size >= sizeof root || path_size >= sizeof path || !read_all(root, root_size) ||
	    !read_all(path, path_size))
		return false;
	root[root_size] = path[path_size] = '\0';
	/* a filesystem that does not answer is the end of us, and not of who asks */
	alarm(PATIENCE);
	ssize_t n = head(root, path, bytes, most);

	alarm(0);
	put_u32(length, n < 0 ? UINT32_MAX : (uint32_t)n);
	return fwrite(length, 1, sizeof length, stdout) == sizeof length &&
	       (n <= 0 || fwrite(bytes, 1, (size_t)n, stdout) == (size_t)n) && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "answer") == 0) {
		while (answer())
			;
		return 0;
	}
	if (argc < 3 || strcmp(argv[1], "make") != 0)
		return usage();
	auto_close int root = open(argv[2], O_PATH | O_CLOEXEC);
	if (root < 0) {
		printf("%s is not there\n", argv[2]);
		return 1;
	}
	return make(root, argv + 3);
}
