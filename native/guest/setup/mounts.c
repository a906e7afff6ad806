/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/mounts.h"

#include "guest/disks/copyup.h"
#include "guest/disks/disk_mount.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/disks/fstab.h"
#include "guest/sockets/guestsockets.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define BARE_ROOT "bare-root" /* in the initramfs */

enum { DATA_MAX = 4096 }; /* bytes: the kernel takes a page */

/* Flags of one mount and not of its filesystem: only these can be set by MS_BIND | MS_REMOUNT. */
#define MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

static bool has_mount_on(const struct container *container, const char *path)
{
	struct record record;
	struct mount_record mount;
	size_t at = 0;

	while (container_next(container, RECORD_MOUNT, &at, &record))
		if (mount_parse(&record, &mount) == 0 && span_is(mount.target, path))
			return true;
	return false;
}

static int mount_in_dev(const char *type, const char *target, unsigned long flags, const char *data,
			struct failure *error)
{
	char text[64];

	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		return fail(error, -errno, "%s can not be made: %s", target, error_text(errno, text));
	if (mount(type, target, type, flags, data) < 0)
		return fail(error, -errno, "%s can not be mounted: %s", target, error_text(errno, text));
	return 0;
}

static void link_in_dev(const char *target, const char *path)
{
	unlink(path);
	if (symlink(target, path) < 0)
		log_text(LOG_LEVEL_WARNING, "%s can not be made", path);
}

int mounts_standard(const struct container *container, struct failure *error)
{
	const unsigned long strict = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	link_in_dev("/proc/self/fd", "/dev/fd");
	link_in_dev("/proc/self/fd/0", "/dev/stdin");
	link_in_dev("/proc/self/fd/1", "/dev/stdout");
	link_in_dev("/proc/self/fd/2", "/dev/stderr");
	link_in_dev("/proc/kcore", "/dev/core");
	link_in_dev("pts/ptmx", "/dev/ptmx");
	int r = mount_in_dev("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5",
			     error);
	if (r == 0 && !has_mount_on(container, "/dev/shm"))
		r = mount_in_dev("tmpfs", "/dev/shm", strict, "mode=1777,size=65536k", error);
	if (r == 0 && !has_mount_on(container, "/dev/mqueue"))
		r = mount_in_dev("mqueue", "/dev/mqueue", strict, NULL, error);
	return r;
}

/* Take "tmpcopyup" out of the options, which no kernel knows. Returns whether it was there. */
static bool take_copy_up(char *data)
{
	static const char option[] = "tmpcopyup";
	char *found = data;

	while ((found = strstr(found, option))) {
		char *end = found + sizeof option - 1;
		bool starts = found == data || found[-1] == ',', ends = *end == ',' || *end == '\0';
		if (!starts || !ends) {
			found = end;
			continue;
		}
		if (*end == ',')
			end++;
		else if (found > data)
			found--;
		memmove(found, end, strlen(end) + 1);
		return true;
	}
	return false;
}

/* As runc: a tmpfs takes the mode of the directory it covers, unless its options name one. */
static int mount_tmpfs(const char *source, const char *target, unsigned long flags, char *data, struct failure *error)
{
	char with_mode[DATA_MAX + 16], text[64];
	bool copy_up = take_copy_up(data);
	auto_close int covered = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (covered < 0)
		r = make_dirs(target, 0755);
	if (r < 0)
		return fail(error, r, "mount point %s can not be made: %s", target, error_text(r, text));
	with_mode[0] = '\0';
	if (covered >= 0 && fstat(covered, &st) == 0)
		snprintf(with_mode, sizeof with_mode, "mode=%04o%s%s", st.st_mode & 07777u, data[0] ? "," : "", data);
	if (mount(source, target, "tmpfs", flags & ~(unsigned long)(copy_up ? MS_RDONLY : 0),
		  with_mode[0] ? with_mode : data) < 0)
		return fail(error, -errno, "tmpfs on %s (%s): %s", target, data, error_text(errno, text));
	if (covered < 0 || !copy_up)
		return 0;
	r = copy_up_directory(covered, target, NULL);
	if (r == 0 && (flags & MS_RDONLY) && mount(NULL, target, NULL, MS_REMOUNT | flags, NULL) < 0)
		r = -errno;
	return r < 0 ? fail(error, r, "tmpfs on %s: copy: %s", target, error_text(r, text)) : 0;
}

static int mount_filesystem(const char *source, const char *target, const char *type, unsigned long flags, char *data,
			    struct failure *error)
{
	char text[64];

	if (strcmp(type, "tmpfs") == 0)
		return mount_tmpfs(source, target, flags, data, error);
	int r = make_dirs(target, 0755);
	if (r < 0)
		return fail(error, r, "mount point %s can not be made: %s", target, error_text(r, text));
	if (mount(source, target, type, flags, data[0] ? data : NULL) < 0)
		return fail(error, -errno, "%s on %s: %s", type, target, error_text(errno, text));
	return 0;
}

static int apply_flags(const char *target, unsigned long flags, struct failure *error)
{
	char text[64];

	if (mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | (flags & MOUNT_FLAGS), NULL) < 0)
		return fail(error, -errno, "volume %s: flags: %s", target, error_text(errno, text));
	return 0;
}

/*
 * The server announces a share's submounts, and the kernel mounts one when it is looked into. Only directories are
 * announced; flags for a file, or for a directory that the server could not tell apart, need a mount of its own.
 */
static int mount_submount(const char *target, unsigned long flags, struct failure *error)
{
	char text[64];
	struct statx st;
	auto_close int fd = open(target, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);

	if (statx(AT_FDCWD, target, 0, STATX_TYPE, &st) < 0)
		return fail(error, -errno, "volume %s: %s", target, error_text(errno, text));
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		/* even without flags: below a read-only mount it was mounted read-only */
		return apply_flags(target, flags, error);
	if ((flags & MOUNT_FLAGS) == 0)
		return 0;
	if (mount(target, target, NULL, MS_BIND, NULL) < 0)
		return fail(error, -errno, "volume %s: bind: %s", target, error_text(errno, text));
	return apply_flags(target, flags, error);
}

/* Whether a filesystem that was mounted before covers the place where the share's submount is seen. */
static bool is_covered(const struct container *container, const struct record *until, const char *target)
{
	struct record record;
	struct mount_record mount;
	size_t at = 0;

	if (strncmp(target, "/dev/", 5) == 0 || strncmp(target, "/sys/", 5) == 0)
		return true;
	while (container_next(container, RECORD_MOUNT, &at, &record) && record.value != until->value) {
		if (mount_parse(&record, &mount) < 0 || mount.kind == MOUNT_SHARE)
			continue;
		if (strncmp(target, (const char *)mount.target.data, mount.target.size) == 0 &&
		    target[mount.target.size] == '/')
			return true;
	}
	return false;
}

static int make_file(const char *target)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof parent, "%s", target);
	*strrchr(parent, '/') = '\0';
	int r = parent[0] ? make_dirs(parent, 0755) : 0;
	if (r < 0)
		return r;
	auto_close int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

static int make_mount_point(const char *source, const char *target)
{
	struct stat st;

	if (stat(source, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? make_dirs(target, 0755) : make_file(target);
}

/* Where the share shows the real socket, that is covered; nobody can connect to it. */
static int mount_socket(const struct container *container, const char *number, const char *target, unsigned long flags,
			struct failure *error)
{
	char text[64];
	struct stat st;
	int r = lstat(target, &st) < 0 ? make_file(target) : 0;

	if (r == 0)
		r = guest_socket_mount(container, number, target);
	if (r < 0)
		return fail(error, r, "socket %s: %s", target, error_text(r, text));
	return apply_flags(target, flags, error);
}

/* Show a covered submount at its place: the root alone, mounted once more out of sight, still has it. */
static int mount_covered(const char *target, unsigned long flags, struct failure *error)
{
	char source[sizeof BARE_ROOT + PATH_MAX], text[64];
	int r = 0;

	snprintf(source, sizeof source, BARE_ROOT "%s", target);
	if (fchdir(early.root) < 0 || (mkdir(BARE_ROOT, 0700) < 0 && errno != EEXIST) ||
	    mount("/", BARE_ROOT, NULL, MS_BIND, NULL) < 0)
		r = -errno;
	if (r == 0)
		r = make_mount_point(source, target);
	if (r == 0) {
		/* looked into, so that it is mounted */
		auto_close int fd = open(source, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
		r = mount(source, target, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
	}
	umount2(BARE_ROOT, MNT_DETACH);
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return fail(error, r, "volume %s: %s", target, error_text(r, text));
	return apply_flags(target, flags, error);
}

static int mount_one(const struct container *container, const struct record *record, struct failure *error)
{
	struct mount_record parsed;
	const struct mount_record *mount = &parsed;
	char target[PATH_MAX], source[PATH_MAX], type[64], data[DATA_MAX];

	if (mount_parse(record, &parsed) < 0 || span_copy(mount->target, target, sizeof target) < 0 ||
	    span_copy(mount->source, source, sizeof source) < 0 || span_copy(mount->type, type, sizeof type) < 0 ||
	    span_copy(mount->data, data, sizeof data) < 0)
		return fail(error, -ENAMETOOLONG, "a mount's options are too long");
	switch (mount->kind) {
	case MOUNT_FILESYSTEM:
		return mount_filesystem(source[0] ? source : type, target, type, mount->flags, data, error);
	case MOUNT_SHARE:
		if (is_covered(container, record, target))
			return mount_covered(target, mount->flags, error);
		return mount_submount(target, mount->flags, error);
	case MOUNT_BLOCK:
		return disk_mount(source, target, type, mount->flags, data, error);
	case MOUNT_SOCKET:
		return mount_socket(container, source, target, mount->flags, error);
	}
	return -EINVAL;
}

int mounts_apply(const struct container *container, struct failure *error)
{
	struct record record;
	size_t at = 0;
	int r = 0;

	while (r == 0 && container_next(container, RECORD_MOUNT, &at, &record))
		r = mount_one(container, &record, error);
	if (r == 0)
		fstab_show();
	return r;
}
