/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/masks.h"

#include "common/files.h"
#include "common/place.h"
#include "guest/early.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* For mount(2), with the initramfs as the working directory. */
static void name_place(int fd, char name[static 64])
{
	snprintf(name, 64, "proc/self/fd/%d", fd);
}

/* As runc: an empty directory over a directory, /dev/null over all else. */
static int mask(int root, const char *path, int fd)
{
	char place[64];
	struct stat st;
	int r;

	(void)root;
	(void)path;
	if (fstat(fd, &st) < 0)
		return -errno;
	name_place(fd, place);
	if (S_ISDIR(st.st_mode))
		r = mount("tmpfs", place, "tmpfs", MS_RDONLY, "size=4k");
	else
		r = mount("/dev/null", place, NULL, MS_BIND, NULL);
	return r < 0 ? -errno : 0;
}

/* A mount keeps the flags that it has. */
static int make_read_only(int root, const char *path, int fd)
{
	char place[64];
	struct statvfs fs;
	unsigned long flags = MS_RDONLY;

	name_place(fd, place);
	if (mount(place, place, NULL, MS_BIND | MS_REC, NULL) < 0 || fstatvfs(fd, &fs) < 0)
		return -errno;
	flags |= fs.f_flag & ST_NOSUID ? MS_NOSUID : 0;
	flags |= fs.f_flag & ST_NODEV ? MS_NODEV : 0;
	flags |= fs.f_flag & ST_NOEXEC ? MS_NOEXEC : 0;
	auto_close int top = place_find(root, path);
	if (top < 0)
		return top;
	name_place(top, place);
	return mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0 ? -errno : 0;
}

/* What is not there needs nothing. */
static int apply(int root, const struct record *record, int (*change)(int root, const char *path, int fd))
{
	char path[PATH_MAX];

	if (span_copy((struct span){record->value, record->length}, path, sizeof path) < 0)
		return -ENAMETOOLONG;
	auto_close int fd = place_find(root, path);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	return change(root, path, fd);
}

static int apply_all(const struct container *container, int root, uint16_t tag,
		     int (*change)(int root, const char *path, int fd))
{
	struct record record;
	size_t at = 0;
	int r = 0;

	while (r == 0 && container_next(container, tag, &at, &record))
		r = apply(root, &record, change);
	return r;
}

int masks_apply(const struct container *container)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || fchdir(early.root) < 0)
		return -errno;
	int r = apply_all(container, root, RECORD_READ_ONLY_PATH, make_read_only);
	if (r == 0)
		r = apply_all(container, root, RECORD_MASKED_PATH, mask);
	return chdir("/") < 0 && r == 0 ? -errno : r;
}
