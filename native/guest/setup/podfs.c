/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/podfs.h"

#include "common/files.h"
#include "guest/early.h"
#include "guest/kernel/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA_MAX = 4096 }; /* bytes: the kernel takes a page */

/* They are in one small filesystem, so that a container's mount namespace can lose all of them at once. */
static int enter(void)
{
	struct stat top, own;

	if (mkdir(POD_FILESYSTEMS, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (stat(".", &top) < 0 || stat(POD_FILESYSTEMS, &own) < 0)
		return -errno;
	if (top.st_dev == own.st_dev &&
	    mount("tmpfs", POD_FILESYSTEMS, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=1m") < 0)
		return -errno;
	return 0;
}

/* Only what lies in the memory: it takes no time, and nothing has to be written back. Who binds it says whether it is read-only. */
static int make(const struct mount_record *wanted, struct failure *error)
{
	char path[sizeof POD_FILESYSTEMS + NAME_MAX + 1], name[NAME_MAX + 1], type[64], data[DATA_MAX], text[64];
	unsigned long flags = wanted->flags & ~(unsigned long)MS_RDONLY;
	struct span all, below;

	if (pod_source_parse(wanted->source, &all, &below) < 0 || span_copy(all, name, sizeof name) < 0 ||
	    span_copy(wanted->type, type, sizeof type) < 0 || span_copy(wanted->data, data, sizeof data) < 0)
		return fail(error, -ENAMETOOLONG, "a mount's options are too long");
	if (strcmp(type, "tmpfs") != 0 && strcmp(type, "hugetlbfs") != 0)
		return fail(error, -EINVAL, "%s can not be a pod's filesystem", type);
	int r = enter();
	snprintf(path, sizeof path, POD_FILESYSTEMS "/%s", name);
	if (r == 0 && mkdir(path, 0700) < 0)
		r = -errno;
	if (r == -EEXIST)
		return 0;
	if (r == 0 && mount(type, path, type, flags, data[0] ? data : NULL) < 0) {
		r = -errno;
		rmdir(path);
	}
	return r < 0 ? fail(error, r, "%s of the pod: %s: %s", name, type, error_text(r, text)) : 0;
}

int podfs_make(const struct container *container, struct failure *error)
{
	struct record record;
	struct mount_record wanted;
	size_t at = 0;
	int r = fchdir(early.root) < 0 ? -errno : 0;

	while (r == 0 && container_next(container, RECORD_MOUNT, &at, &record))
		if (mount_parse(&record, &wanted) == 0 && wanted.kind == MOUNT_OF_POD)
			r = make(&wanted, error);
	return chdir("/") < 0 && r == 0 ? -errno : r;
}

/* Neighbours may put anything in its place: what is made is not touched again by its name. */
static int step(int directory, const char *name, mode_t mode)
{
	struct stat st = {.st_mode = 0};
	int next = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0 && errno == ENOENT) {
		mode_t before = umask(0);
		int made = mkdirat(directory, name, mode);
		umask(before);
		if (made < 0 && errno != EEXIST)
			return -errno;
		next = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (next < 0)
		return -errno;
	if (fstat(next, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		return next;
	close(next);
	return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
}

static int walk(int top, char *path)
{
	struct stat st;
	int at = fstat(top, &st) < 0 ? -errno : fcntl(top, F_DUPFD_CLOEXEC, 0);

	for (char *name = path, *end; at >= 0 && *name; name = end) {
		size_t size = strcspn(name, "/");
		end = name + size + (name[size] ? 1 : 0);
		name[size] = '\0';
		int next = step(at, name, st.st_mode & 07777);
		close(at);
		at = next;
	}
	return at;
}

int podfs_open(struct span source, struct failure *error)
{
	char path[PATH_MAX], filesystem[sizeof POD_FILESYSTEMS + NAME_MAX + 1], text[64];
	struct span name, below;
	int r = pod_source_parse(source, &name, &below);

	if (r < 0 || span_copy(below, path, sizeof path) < 0)
		return fail(error, -EINVAL, "a pod's filesystem has no such name");
	snprintf(filesystem, sizeof filesystem, POD_FILESYSTEMS "/%.*s", (int)name.size, (const char *)name.data);
	auto_close int top = open(filesystem, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int found = top < 0 ? -errno : walk(top, path);
	return found < 0 ? fail(error, found, "%.*s of the pod: %s", (int)source.size, (const char *)source.data,
				error_text(found, text))
			 : found;
}
