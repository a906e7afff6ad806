/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-files: what the scripts that install DKVM need, on any host and in DKVM's own image, and no shell has.
 *
 *   dkvm-files lock FD                takes the lock of the file that is open as FD; fails at once where somebody else has it
 *   dkvm-files copy SOURCE TARGET     copies a tree as it is, where there is room for it, tells how far it is, and has it on the disk in the end
 */
#include "host/files/copytree.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	STEP = 25,      /* per cent between two lines where nobody watches */
	SPARE_MIB = 16, /* what a copy leaves free: directories, the filesystem's own needs */
};

static const int64_t MIB = 1 << 20;

static int complain(const char *text)
{
	fprintf(stderr, "error: %s\n", text);
	return 1;
}

static int take_lock(const char *number)
{
	char *end;
	long fd = strtol(number, &end, 10);

	if (*end != '\0' || fd < 0 || fd > INT_MAX)
		return complain("lock: that is no file descriptor");
	/* Held by the open file, and so by whoever has that open: the shell that asked, to its end. */
	return flock((int)fd, LOCK_EX | LOCK_NB) == 0 ? 0 : 1;
}

static void show_progress(int64_t copied, int64_t all)
{
	static int shown = -1;
	bool watched = isatty(STDERR_FILENO);
	int percent = all > 0 ? (int)(copied * 100 / all) : 100;

	if (percent == shown || (!watched && percent / STEP == shown / STEP && shown >= 0))
		return;
	if (watched)
		fprintf(stderr, "\r    copied: %lld of %lld MiB%s", (long long)(copied / MIB), (long long)(all / MIB),
			percent == 100 ? "\n" : "");
	else
		fprintf(stderr, "    copied: %d %%\n", percent);
	shown = percent;
}

/* -1 with errno set where it can not be told. */
static int64_t room(const char *target)
{
	char copy[PATH_MAX];
	struct statvfs fs;

	snprintf(copy, sizeof copy, "%s", target);
	return statvfs(dirname(copy), &fs) < 0 ? -1 : (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

static int flush(const char *target)
{
	int fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd >= 0 && syncfs(fd) == 0 ? 0 : -errno;

	if (fd >= 0)
		close(fd);
	return result;
}

static int copy(const char *source, const char *target)
{
	struct failure error = {""};
	struct tree_size size;

	if (tree_measure(source, &size, &error) < 0)
		return complain(error.text);
	int64_t needed = size.bytes + SPARE_MIB * MIB, free_bytes = room(target);
	if (free_bytes < needed) {
		snprintf(error.text, sizeof error.text,
			 free_bytes < 0 ? "\"%.300s\" can not be made: there is no directory for it"
					: "no room for \"%.300s\": it takes %lld MiB, and %lld MiB are free",
			 target, (long long)(needed / MIB), (long long)(free_bytes / MIB));
		return complain(error.text);
	}
	if (tree_copy(source, target, &size, show_progress, &error) < 0)
		return complain(error.text);
	int result = flush(target);
	if (result < 0) {
		snprintf(error.text, sizeof error.text, "\"%.300s\" does not get to the disk: %s", target,
			 strerror(-result));
		return complain(error.text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "lock") == 0)
		return take_lock(argv[2]);
	if (argc == 4 && strcmp(argv[1], "copy") == 0)
		return copy(argv[2], argv[3]);
	fputs("usage: dkvm-files lock FD | copy SOURCE TARGET\n", stderr);
	return 2;
}
