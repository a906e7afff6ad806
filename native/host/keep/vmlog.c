/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keep/vmlog.h"

#include "common/files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	KIB = 1024,
	STAMP_SIZE = 21, /* 20261125T040100.123Z and the end */
	NAME_SIZE = 256,
};

static const struct kept_file {
	const char *name;
	off_t first, last;
} files[] = {
	{"monitor.log", 64 * KIB, 128 * KIB}, {"console.old", 0, 64 * KIB},  {"console.log", 0, 64 * KIB},
	{"timeline.json", 16 * KIB, 0},       {"members.json", 32 * KIB, 0},
};

enum { FILES = sizeof files / sizeof files[0] };

static int write_all(int to, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = write(to, bytes, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		count -= (size_t)n;
	}
	return 0;
}

/* At most count bytes: the file may become shorter meanwhile, or longer. */
static int copy_part(int from, int to, off_t at, off_t count)
{
	char buffer[16 * KIB];

	while (count > 0) {
		size_t wanted = count < (off_t)sizeof buffer ? (size_t)count : sizeof buffer;
		ssize_t n = pread(from, buffer, wanted, at);

		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		int r = write_all(to, buffer, (size_t)n);
		if (r < 0)
			return r;
		at += n;
		count -= n;
	}
	return 0;
}

int vmlog_copy(int directory, const char *name, int to, off_t first, off_t last)
{
	char gap[64];
	struct stat st;
	auto_close int from = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size <= first + last)
		return copy_part(from, to, 0, st.st_size);
	int r = copy_part(from, to, 0, first);
	if (r == 0 && last > 0) {
		int n = snprintf(gap, sizeof gap, "%s[%jd bytes are left out]\n", first > 0 ? "\n" : "",
				 (intmax_t)(st.st_size - first - last));
		r = write_all(to, gap, (size_t)n);
	}
	return r < 0 ? r : copy_part(from, to, st.st_size - last, last);
}

int vmlog_check_id(const char *id)
{
	size_t size = strlen(id);

	if (size == 0 || size > NAME_SIZE - STAMP_SIZE - 1 || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return -EINVAL;
	for (const char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_+-.", *p))
			return -EINVAL;
	return 0;
}

static int copy_to_file(int from, const char *name, int to, off_t first, off_t last)
{
	auto_close int fd = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : vmlog_copy(from, name, fd, first, last);

	if (r < 0)
		unlinkat(to, name, 0);
	return r;
}

static void remove_kept(int kept, const char *name)
{
	auto_close int fd = openat(kept, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < FILES; i++)
		unlinkat(fd, files[i].name, 0);
	if (fd >= 0)
		unlinkat(fd, VMLOG_RECORD, 0);
	unlinkat(kept, name, AT_REMOVEDIR);
}

/* Its name begins with the time, by which the oldest is found. */
static int make_kept(int kept, const char *id, char name[static NAME_SIZE])
{
	struct timespec now;
	struct tm utc;
	char stamp[STAMP_SIZE];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &utc);
	snprintf(name, NAME_SIZE, "%s.%03dZ-%s", stamp, (int)(now.tv_nsec / 1000000), id);
	return mkdirat(kept, name, 0700) < 0 ? -errno : 0;
}

int vmlog_keep(int vm, int kept, const char *id)
{
	char name[NAME_SIZE];
	struct stat st;
	auto_close int log = openat(vm, "log", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (log < 0)
		return -errno;
	if (fstatat(log, files[0].name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	int r = make_kept(kept, id, name);
	auto_close int to = r < 0 ? -1 : openat(kept, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return r < 0 ? r : -errno;
	/* what the sandbox did not write, or spoilt, is left out */
	for (int i = 0; i < FILES && r != -ENOSPC; i++)
		r = copy_to_file(log, files[i].name, to, files[i].first, files[i].last);
	if (r != -ENOSPC)
		r = copy_to_file(vm, VMLOG_RECORD, to, 64 * KIB, 0);
	if (r < 0)
		remove_kept(kept, name);
	return r;
}

/* Whether it is one that make_kept made: nothing else is ever removed. */
static int is_kept(const struct dirent *entry)
{
	static const char form[] = "00000000T000000.000Z-";

	if (strlen(entry->d_name) < sizeof form)
		return 0;
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)entry->d_name[i]) : entry->d_name[i] != form[i])
			return 0;
	return 1;
}

static off_t size_of(int kept, const char *name)
{
	struct stat st;
	off_t bytes = 0;
	auto_close int fd = openat(kept, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < FILES; i++)
		if (fstatat(fd, files[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += st.st_size;
	return bytes;
}

static int newest_first(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*other)->d_name, (*one)->d_name);
}

int vmlog_prune(int kept, const struct vmlog_limits *limits)
{
	struct dirent **entries;
	off_t bytes = 0;
	int count = scandirat(kept, ".", &entries, is_kept, newest_first);

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		bytes += size_of(kept, entries[i]->d_name);
		if ((size_t)i >= limits->vms || bytes > limits->bytes)
			remove_kept(kept, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}
