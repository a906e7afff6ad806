/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/copyup.h"

#include "common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 64,
	NAMES_SIZE = 4096,  /* bytes: all names of a file's attributes */
	VALUE_SIZE = 65536, /* bytes: XATTR_SIZE_MAX of the kernel */
};

/* One copy that is going on. */
struct copy {
	dev_t device; /* of what is copied: others are mounted below it */
	copy_up_progress *progress;
};

static int copy_entries(const struct copy *copy, int from, int to, int depth);

/* Capabilities and ACLs, and what programs keep there; a filesystem that takes none goes without. */
static int copy_attributes(int in, int out)
{
	static char names[NAMES_SIZE], value[VALUE_SIZE];
	ssize_t size = flistxattr(in, names, sizeof names);

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n = fgetxattr(in, names + at, value, sizeof value);
		if (n >= 0 && fsetxattr(out, names + at, value, (size_t)n, 0) < 0 && errno != ENOTSUP && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int copy_content(int in, int out)
{
	for (;;) {
		ssize_t n = sendfile(out, in, NULL, 1 << 20);
		if (n <= 0)
			return n < 0 ? -errno : 0;
	}
}

/* The owner first: with it the kernel takes capabilities and set-id bits away. */
static int copy_stat(int out, const struct stat *st)
{
	return fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0 ? -errno : 0;
}

static int copy_times(int out, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	return futimens(out, times) < 0 ? -errno : 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	auto_close int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);

	if (in < 0 || out < 0)
		return -errno;
	int r = copy_content(in, out);
	if (r == 0)
		r = copy_stat(out, st);
	if (r == 0)
		r = copy_attributes(in, out);
	return r == 0 ? copy_times(out, st) : r;
}

static int copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof target - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to, name) < 0 ? -errno : 0;
}

/* Whether a mount of the share is shown there as soon as somebody looks in; nobody did so far. */
static bool is_mount_to_be(int from, const char *name)
{
	struct statx st;

	return statx(from, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_AUTOMOUNT);
}

static int copy_directory(const struct copy *copy, int from, int to, const char *name, int depth)
{
	struct stat st;

	if (mkdirat(to, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (is_mount_to_be(from, name))
		return 0;
	auto_close int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return -errno;
	int r = st.st_dev == copy->device ? copy_entries(copy, in, out, depth + 1) : 0;
	if (r == 0)
		r = copy_stat(out, &st);
	if (r == 0)
		r = copy_attributes(in, out);
	return r == 0 ? copy_times(out, &st) : r;
}

static int copy_special(int from, int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	int r = 0;

	if (S_ISLNK(st->st_mode))
		r = copy_link(from, to, name);
	else if (mknodat(to, name, st->st_mode, st->st_rdev) < 0)
		r = -errno;
	if (r == 0 && (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		       (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0) ||
		       utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0))
		r = -errno;
	return r;
}

static int copy_one(const struct copy *copy, int from, int to, const char *name, int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (copy->progress)
		copy->progress();
	if (S_ISDIR(st.st_mode))
		return copy_directory(copy, from, to, name, depth);
	if (unlinkat(to, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return S_ISREG(st.st_mode) ? copy_file(from, to, name, &st) : copy_special(from, to, name, &st);
}

static int copy_entries(const struct copy *copy, int from, int to, int depth)
{
	struct dirent *entry;
	int fd = depth < DEPTH_MAX ? openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return depth < DEPTH_MAX ? -ENOMEM : -ELOOP;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_one(copy, from, to, entry->d_name, depth);
	closedir(dir);
	return r;
}

int copy_up_directory(int from, const char *to, copy_up_progress *progress)
{
	auto_close int out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (out < 0 || fstat(from, &st) < 0)
		return -errno;
	/* the mount's own options rule over the owner of what it covers only where they name one */
	const struct copy copy = {.device = st.st_dev, .progress = progress};
	return copy_entries(&copy, from, out, 0);
}

int copy_up_own(int from, const char *to)
{
	auto_close int out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (out < 0 || fstat(from, &st) < 0)
		return -errno;
	int r = copy_stat(out, &st);
	if (r == 0)
		r = copy_attributes(from, out);
	return r == 0 ? copy_times(out, &st) : r;
}
