/* SPDX-License-Identifier: Apache-2.0 */
#include "common/place.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	STEPS_MAX = 2048, /* a path has no more names, and a name that is made is a step */
	LINKS_MAX = 40,   /* as the kernel's MAXSYMLINKS */
};

/* A path on its way: what is missing in it is made, and a link that leads nowhere is put into it. */
struct way {
	char path[PATH_MAX];
	int links;
};

static bool is_own_root(int root)
{
	struct stat own, other;

	return stat("/", &own) == 0 && fstat(root, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

enum { OPEN_TRIES = 128 };

/* -ENOSYS: a kernel without openat2(2). */
static int open_in(int root, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = {
		.flags = (unsigned)(O_PATH | O_CLOEXEC | flags),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd = -1;

	/* EAGAIN: something was renamed or mounted anywhere on the host while ".." was followed; see openat2(2) */
	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path[0] ? path : ".", &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int find(int root, const char *path, int flags)
{
	char absolute[PATH_MAX];
	int fd = open_in(root, path, flags, 0);

	if (fd != -ENOSYS)
		return fd;
	if (!is_own_root(root))
		return -ENOSYS;
	if (snprintf(absolute, sizeof absolute, "/%s", path) >= (int)sizeof absolute)
		return -ENAMETOOLONG;
	fd = open(absolute, O_PATH | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

int place_find(int root, const char *path)
{
	return find(root, path, 0);
}

int place_find_directory(int root, const char *path)
{
	return find(root, path, O_DIRECTORY);
}

int place_look(int root, const char *path)
{
	int fd = path[0] ? open_in(root, path, O_NOFOLLOW, RESOLVE_NO_SYMLINKS) : fcntl(root, F_DUPFD_CLOEXEC, 0);

	return fd < 0 && !path[0] ? -errno : fd;
}

/* The file that was looked at, and no other that has its name by now. */
int place_read(int root, const char *path)
{
	char name[64];
	struct stat st;
	auto_close int place = path[0] ? place_find(root, path) : dup(root);

	if (place < 0)
		return place;
	if (fstat(place, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(name, sizeof name, "/proc/self/fd/%d", place);
	int fd = open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const char *after_slashes(const char *path)
{
	return path + strspn(path, "/");
}

/* Put a link's text in the place of the name from start to end. */
static int follow(struct way *way, int parent, size_t start, size_t end, const char *name)
{
	char link[PATH_MAX], joined[PATH_MAX];
	ssize_t n = readlinkat(parent, name, link, sizeof link - 1);

	if (n <= 0)
		/* somebody else has made the name meanwhile */
		return n == 0 ? -ENOENT : errno == EINVAL ? 0 : -errno;
	if (++way->links > LINKS_MAX)
		return -ELOOP;
	link[n] = '\0';
	int before = link[0] == '/' ? 0 : (int)start;
	int size = snprintf(joined, sizeof joined, "%.*s%s%s", before, way->path, link, way->path + end);
	if (size >= (int)sizeof joined)
		return -ENAMETOOLONG;
	memcpy(way->path, joined, (size_t)size + 1);
	return 0;
}

static int make(int parent, const char *name, bool directory)
{
	if (directory)
		return mkdirat(parent, name, 0755) < 0 ? -errno : 0;
	auto_close int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755);
	return fd < 0 ? -errno : 0;
}

/* The first name that is missing is made, or replaced by what it leads to. */
static int make_first_missing(int root, struct way *way, bool directory)
{
	char until[PATH_MAX], name[NAME_MAX + 1];
	auto_close int parent = find(root, "", O_DIRECTORY);
	size_t start = (size_t)(after_slashes(way->path) - way->path);

	while (parent >= 0 && way->path[start]) {
		size_t size = strcspn(way->path + start, "/"), end = start + size;
		bool last = *after_slashes(way->path + end) == '\0';
		if (size >= sizeof name)
			return -ENAMETOOLONG;
		memcpy(name, way->path + start, size);
		name[size] = '\0';
		memcpy(until, way->path, end);
		until[end] = '\0';
		int next = find(root, until, last ? 0 : O_DIRECTORY);
		if (next == -ENOENT) {
			int r = make(parent, name, directory || !last);
			return r == -EEXIST ? follow(way, parent, start, end, name) : r;
		}
		if (next < 0)
			return next;
		close(parent);
		parent = next;
		start = end + (size_t)(after_slashes(way->path + end) - (way->path + end));
	}
	return parent < 0 ? parent : 0;
}

static int check_kind(int fd, bool directory)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (directory == S_ISDIR(st.st_mode))
		return 0;
	return directory ? -ENOTDIR : -EISDIR;
}

int place_make(int root, const char *path, bool directory)
{
	struct way way = {.links = 0};

	if (snprintf(way.path, sizeof way.path, "%s", path) >= (int)sizeof way.path)
		return -ENAMETOOLONG;
	for (int steps = 0; steps < STEPS_MAX; steps++) {
		int fd = find(root, way.path, directory ? O_DIRECTORY : 0);
		if (fd == -ENOENT) {
			int r = make_first_missing(root, &way, directory);
			if (r < 0)
				return r;
			continue;
		}
		int r = fd < 0 ? fd : check_kind(fd, directory);
		if (r < 0 && fd >= 0)
			close(fd);
		return r < 0 ? r : fd;
	}
	return -ELOOP;
}
