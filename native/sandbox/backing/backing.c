/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/backing/backing.h"

#include "common/files.h"
#include "common/place.h"
#include "sandbox/backing/magic.h"
#include "sandbox/backing/mkfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Added to a file's name until it is formatted: what is at its own name is always whole. */
#define UNFINISHED ".dkvm-new"

/* A file by its directory and its name in it: links on the way have been followed, below the root. */
struct place {
	int directory; /* O_PATH */
	char name[NAME_MAX + 1];
};

static int fail_errno(struct failure *why, const char *doing)
{
	char text[64];
	int error = errno;

	return fail(why, -error, "can not be %s: %s", doing, error_text(error, text));
}

static int find_place(const char *root, const char *path, struct place *place, struct failure *why)
{
	char parent[PATH_MAX], text[64];
	const char *slash = strrchr(path, '/');

	place->directory = -1;
	if (!slash || !slash[1] || strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0)
		return fail(why, -EINVAL, "is not an absolute path of a file");
	if (strlen(path) >= sizeof parent || strlen(slash + 1) + strlen(UNFINISHED) >= sizeof place->name)
		return fail(why, -ENAMETOOLONG, "has a name that is too long");
	memcpy(place->name, slash + 1, strlen(slash + 1) + 1);
	snprintf(parent, sizeof parent, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	auto_close int base = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return fail_errno(why, "reached");
	place->directory = place_find_directory(base, parent);
	if (place->directory < 0)
		return fail(why, place->directory, "can not be reached: directory \"%s\": %s", parent,
			    error_text(place->directory, text));
	return 0;
}

/* Open what is there; -ENOENT without a text when there is nothing. */
static int open_file(const struct place *place, const char *name, int *file, struct failure *why)
{
	struct stat st;

	/* not blocking, for a FIFO */
	int fd = openat(place->directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return fail(why, -ELOOP, "is a symbolic link");
	if (fd < 0 && errno == EISDIR)
		return fail(why, -EISDIR, "is a directory");
	if (fd < 0)
		return fail_errno(why, "opened");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return fail(why, -EINVAL, "is not a regular file");
	}
	*file = fd;
	return 0;
}

static int lock_file(int fd, struct failure *why)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return fail(why, -EBUSY, "is in use by another VM");
	return fail_errno(why, "locked");
}

static int set_size(int fd, int64_t bytes, struct failure *why)
{
	return ftruncate(fd, bytes) < 0 ? fail_errno(why, "made larger") : 0;
}

static int format(int fd, const char *filesystem, struct failure *why)
{
	char said[256];

	if (mkfs_run(fd, filesystem, said, sizeof said) < 0)
		return fail(why, -EIO, "can not be formatted with %s: %s", filesystem, said);
	return fsync(fd) < 0 ? fail_errno(why, "written") : 0;
}

/* Whether nothing was ever written to a file, whatever its size. */
static bool is_blank(int fd, const struct stat *st)
{
	return st->st_size == 0 || (lseek(fd, 0, SEEK_DATA) < 0 && errno == ENXIO);
}

static int prepare_existing(int fd, const char *filesystem, int64_t bytes, struct failure *why)
{
	struct stat st;
	int r = lock_file(fd, why);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return fail_errno(why, "read");
	bool blank = is_blank(fd, &st);
	const char *found = magic_of(fd);
	if (!blank && !found)
		return fail(why, -EEXIST, "exists and has no filesystem: it is left as it is");
	if (!blank && strcmp(found, filesystem) != 0)
		return fail(why, -EEXIST, "has the filesystem %s and not %s: it is left as it is", found, filesystem);
	if (st.st_size < bytes && (r = set_size(fd, bytes, why)) < 0)
		return r;
	if (blank)
		return format(fd, filesystem, why);
	if (st.st_size > bytes)
		fail(why, 0, "has %" PRId64 " bytes, more than the %" PRId64 " asked for, and keeps them",
		     (int64_t)st.st_size, bytes);
	return 0;
}

/* Whether a name in the directory is still that of the open file. */
static bool is_named(const struct place *place, const char *name, int fd)
{
	struct stat open, named;

	return fstat(fd, &open) == 0 && fstatat(place->directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* Take away what somebody left who was killed while making it; not what somebody is making. */
static int remove_unfinished(const struct place *place, const char *name, struct failure *why)
{
	auto_close int fd = -1;
	int r = open_file(place, name, &fd, why);

	if (r == 0 && lock_file(fd, why) < 0)
		return fail(why, -EBUSY, "is just being made by another VM");
	if (r == 0 && unlinkat(place->directory, name, 0) < 0)
		return fail_errno(why, "made");
	return r == -ENOENT ? 0 : r;
}

static int name_it(const struct place *place, const char *unfinished)
{
	int d = place->directory;

	if (renameat2(d, unfinished, d, place->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* a filesystem without that flag: NFS */
	if (linkat(d, unfinished, d, place->name, 0) < 0)
		return -errno;
	return unlinkat(d, unfinished, 0) < 0 ? -errno : 0;
}

static int fill_and_name(const struct place *place, const char *unfinished, int fd, const char *filesystem,
			 int64_t bytes, struct failure *why)
{
	int r = set_size(fd, bytes, why);

	if (r == 0)
		r = format(fd, filesystem, why);
	if (r < 0)
		return r;
	r = name_it(place, unfinished);
	if (r == -EEXIST)
		return fail(why, r, "was made by another VM at the same time");
	errno = -r;
	return r < 0 ? fail_errno(why, "made") : 0;
}

static int prepare_new(const struct place *place, const char *filesystem, int64_t bytes, struct failure *why)
{
	char unfinished[NAME_MAX + 1];

	snprintf(unfinished, sizeof unfinished, "%.*s%s", (int)(sizeof unfinished - sizeof UNFINISHED), place->name,
		 UNFINISHED);
	int r = remove_unfinished(place, unfinished, why);
	if (r < 0)
		return r;
	auto_close int fd =
		openat(place->directory, unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(why, "made");
	/* another VM may have taken ours for a left one before it was locked */
	if (lock_file(fd, why) < 0 || !is_named(place, unfinished, fd))
		return fail(why, -EBUSY, "is just being made by another VM");
	r = fill_and_name(place, unfinished, fd, filesystem, bytes, why);
	if (r < 0)
		unlinkat(place->directory, unfinished, 0);
	return r;
}

int backing_prepare(const char *root, const char *path, const char *filesystem, int64_t bytes, struct failure *why)
{
	struct place place;
	auto_close int fd = -1;

	why->text[0] = '\0';
	int r = find_place(root, path, &place, why);
	auto_close int directory = place.directory;
	if (r == 0)
		r = open_file(&place, place.name, &fd, why);
	if (r == 0)
		return prepare_existing(fd, filesystem, bytes, why);
	return r == -ENOENT && directory >= 0 ? prepare_new(&place, filesystem, bytes, why) : r;
}

int backing_open(const char *root, const char *path, int *fd, struct failure *why)
{
	struct place place;
	auto_close int file = -1;

	why->text[0] = '\0';
	int r = find_place(root, path, &place, why);
	auto_close int directory = place.directory;
	if (r < 0)
		return r;
	r = open_file(&place, place.name, &file, why);
	if (r == -ENOENT)
		return fail(why, r, "is gone");
	if (r == 0)
		r = lock_file(file, why);
	if (r < 0)
		return r;
	/* O_NONBLOCK was for the opening */
	if (fcntl(file, F_SETFL, 0) < 0)
		return fail_errno(why, "opened");
	*fd = file;
	file = -1;
	return 0;
}
