/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/copyup.h"

#include "common/filecopy.h"
#include "common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

/* One copy that is going on. */
struct copy {
	dev_t device; /* of what is copied: others are mounted below it */
	copy_up_progress *progress;
};

static int copy_entries(const struct copy *copy, int from, int to, int depth);

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
	return r == 0 ? copy_facts(in, out, &st, ATTRIBUTES_POSSIBLE) : r;
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
	if (S_ISREG(st.st_mode))
		return copy_file(from, name, to, name, &st, ATTRIBUTES_POSSIBLE);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, name, to, name, &st);
	return mknodat(to, name, st.st_mode, st.st_rdev) < 0 ? -errno : copy_facts_at(to, name, &st);
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
	return copy_facts(from, out, &st, ATTRIBUTES_POSSIBLE);
}
