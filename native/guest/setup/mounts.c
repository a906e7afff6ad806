/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/mounts.h"

#include "guest/disks/copyup.h"
#include "guest/disks/disk_mount.h"
#include "common/files.h"
#include "common/place.h"
#include "guest/early.h"
#include "guest/disks/fstab.h"
#include "guest/sockets/guestsockets.h"
#include "guest/log.h"
#include "guest/kernel/stage.h"
#include "guest/setup/podfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA_MAX = 4096 }; /* bytes: the kernel takes a page */

/* Flags of one mount and not of its filesystem: only these can be set by MS_BIND | MS_REMOUNT. */
#define MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

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
	if (r == 0 && !container_mounts_on(container, "/dev/mqueue"))
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

/* Open where something is to be mounted, and make it where it is missing; what runc refuses is refused. */
static int find_place(const char *target, bool directory, struct failure *error)
{
	char path[PATH_MAX], text[64];
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int place = root < 0 ? -errno : place_make(root, target, directory);

	if (place == -ENOTDIR || place == -EISDIR)
		return fail(error, place, "%s is to be mounted on %s, which is %s",
			    directory ? "a directory" : "a file", target,
			    directory ? "not a directory" : "a directory");
	if (place < 0)
		return fail(error, place, "mount point %s can not be made: %s", target, error_text(place, text));
	int r = stage_path(place, path, sizeof path);
	if (r == 0 && strcmp(path, "/") == 0)
		r = fail(error, -EBUSY, "%s leads to the root: nothing can be mounted on that", target);
	else if (r == 0 && (strcmp(path, "/proc") == 0 || strncmp(path, "/proc/", 6) == 0))
		r = fail(error, -EINVAL, "%s cannot be mounted because it is inside /proc", target);
	if (r < 0)
		close(place);
	return r < 0 ? r : place;
}

static int put_in_place(bool directory, int place, const char *target, struct failure *error)
{
	char text[64];
	int r = stage_move(stage_of(directory), place);

	if (r < 0)
		stage_clear(directory);
	return r < 0 ? fail(error, r, "%s can not be mounted: %s", target, error_text(r, text)) : 0;
}

/* As runc: a tmpfs takes the mode of the directory it covers, unless its options name one. */
static int stage_tmpfs(const char *source, const char *target, unsigned long flags, char *data, int covered,
		       bool existed, struct failure *error)
{
	char with_mode[DATA_MAX + 16] = "", text[64];
	bool copy_up = take_copy_up(data);
	struct stat st;
	int r = 0;

	if (existed && fstat(covered, &st) == 0)
		snprintf(with_mode, sizeof with_mode, "mode=%04o%s%s", st.st_mode & 07777u, data[0] ? "," : "", data);
	if (mount(source, STAGE_DIRECTORY, "tmpfs", flags & ~(unsigned long)(copy_up ? MS_RDONLY : 0),
		  with_mode[0] ? with_mode : data) < 0)
		return fail(error, -errno, "tmpfs on %s (%s): %s", target, data, error_text(errno, text));
	if (!existed || !copy_up)
		return 0;
	auto_close int from = openat(covered, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = from < 0 ? -errno : copy_up_directory(from, STAGE_DIRECTORY, NULL);
	if (r == 0 && (flags & MS_RDONLY) && mount(NULL, STAGE_DIRECTORY, NULL, MS_REMOUNT | flags, NULL) < 0)
		r = -errno;
	if (r < 0)
		stage_clear(true);
	return r < 0 ? fail(error, r, "tmpfs on %s: copy: %s", target, error_text(r, text)) : 0;
}

static bool exists(const char *target)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int found = root < 0 ? -1 : place_find(root, target);

	return found >= 0;
}

static int mount_filesystem(const char *source, const char *target, const char *type, unsigned long flags, char *data,
			    struct failure *error)
{
	char text[64];
	bool existed = exists(target);
	auto_close int place = find_place(target, true, error);
	int r = place < 0 ? place : 0;

	if (r == 0 && strcmp(type, "tmpfs") == 0)
		r = stage_tmpfs(source, target, flags, data, place, existed, error);
	else if (r == 0 && mount(source, STAGE_DIRECTORY, type, flags, data[0] ? data : NULL) < 0)
		r = fail(error, -errno, "%s on %s: %s", type, target, error_text(errno, text));
	return r == 0 ? put_in_place(true, place, target, error) : r;
}

/* A bind mount has the flags of what it was made from. */
static int apply_flags(bool directory, const char *target, unsigned long flags, struct failure *error)
{
	char text[64];

	if ((flags & MOUNT_FLAGS) == 0 ||
	    mount(NULL, stage_of(directory), NULL, MS_REMOUNT | MS_BIND | (flags & MOUNT_FLAGS), NULL) == 0)
		return 0;
	int r = -errno;
	stage_clear(directory);
	return fail(error, r, "volume %s: flags: %s", target, error_text(r, text));
}

/*
 * The directory of a slot, found in the filesystem of the volume that it is a part of: who has the volume then sees what is locked, mapped
 * and waited for there. Neighbours may have put something else in its place: it counts if it is the same one. -errno: it is not.
 */
static int open_part(const struct mount_record *mount)
{
	char slot[sizeof SHARE + PATH_MAX], path[PATH_MAX];
	struct stat top, st;
	struct span below;
	uint64_t inode;

	if (mount->type.size == 0 || slot_part_parse(mount, &inode, &below) < 0 ||
	    span_copy(below, path, sizeof path) < 0)
		return -ENOENT;
	snprintf(slot, sizeof slot, SHARE "/%.*s", (int)mount->type.size, (const char *)mount->type.data);
	auto_close int volume = open(slot, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int part = volume < 0 ? -errno : open_beneath(volume, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (part < 0)
		return part;
	if (fstat(volume, &top) == 0 && fstat(part, &st) == 0 && st.st_dev == top.st_dev && st.st_ino == inode)
		return part;
	close(part);
	return -ESTALE;
}

/*
 * A slot of the share. The server announces a directory as a submount, which the kernel mounts when it is looked into; a file is the
 * share's own.
 */
static int mount_slot(const struct mount_record *mounted, const char *slot, const char *target, unsigned long flags,
		      struct failure *error)
{
	char source[sizeof SHARE + PATH_MAX], text[64];
	struct stat st;

	if (slot_kind((struct span){(const uint8_t *)slot, strlen(slot)}) == SLOT_NONE ||
	    snprintf(source, sizeof source, SHARE "/%s", slot) >= (int)sizeof source)
		return fail(error, -EINVAL, "slot \"%s\" for %s is no name", slot, target);
	if (lstat(source, &st) < 0)
		return fail(error, -errno, "volume %s: slot %s: %s", target, slot, error_text(errno, text));
	bool directory = S_ISDIR(st.st_mode);
	auto_close int place = find_place(target, directory, error);
	if (place < 0)
		return place;
	auto_close int looked = directory ? open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	auto_close int part = directory ? open_part(mounted) : -1;
	if (part >= 0)
		/* of the initramfs's /proc */
		snprintf(source, sizeof source, "proc/self/fd/%d", part);
	if (mount(source, stage_of(directory), NULL, MS_BIND, NULL) < 0)
		return fail(error, -errno, "volume %s: bind: %s", target, error_text(errno, text));
	int r = apply_flags(directory, target, flags, error);
	return r == 0 ? put_in_place(directory, place, target, error) : r;
}

static int mount_of_pod(struct span source, const char *target, unsigned long flags, struct failure *error)
{
	char from[64], text[64];
	struct stat st;
	auto_close int found = podfs_open(source, error);

	if (found < 0)
		return found;
	if (fstat(found, &st) < 0)
		return fail(error, -errno, "%s: %s", target, error_text(errno, text));
	bool directory = S_ISDIR(st.st_mode);
	auto_close int place = find_place(target, directory, error);
	if (place < 0)
		return place;
	/* of the initramfs's /proc */
	snprintf(from, sizeof from, "proc/self/fd/%d", found);
	if (mount(from, stage_of(directory), NULL, MS_BIND, NULL) < 0)
		return fail(error, -errno, "the pod's filesystem on %s: %s", target, error_text(errno, text));
	int r = apply_flags(directory, target, flags, error);
	return r == 0 ? put_in_place(directory, place, target, error) : r;
}

static int mount_socket(const struct container *container, const char *number, const char *target, unsigned long flags,
			struct failure *error)
{
	char text[64];
	auto_close int place = find_place(target, false, error);

	if (place < 0)
		return place;
	int r = guest_socket_mount(container, number, STAGE_FILE);
	if (r < 0)
		return fail(error, r, "socket %s: %s", target, error_text(r, text));
	r = apply_flags(false, target, flags, error);
	return r == 0 ? put_in_place(false, place, target, error) : r;
}

static int mount_disk(const char *source, const char *target, const char *type, unsigned long flags, const char *data,
		      struct failure *error)
{
	auto_close int place = find_place(target, true, error);
	int r = place < 0 ? place : disk_mount(source, target, type, flags, data, place, error);

	return r == 0 ? put_in_place(true, place, target, error) : r;
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
		/* a member's is there, with these flags: member.c */
		if (container->root_slot.size > 0 && strcmp(type, "sysfs") == 0 && strcmp(target, "/sys") == 0)
			return 0;
		return mount_filesystem(source[0] ? source : type, target, type, mount->flags, data, error);
	case MOUNT_SLOT:
		return mount_slot(mount, source, target, mount->flags, error);
	case MOUNT_BLOCK:
		return mount_disk(source, target, type, mount->flags, data, error);
	case MOUNT_SOCKET:
		return mount_socket(container, source, target, mount->flags, error);
	case MOUNT_OF_POD:
		return mount_of_pod(mount->source, target, mount->flags, error);
	}
	return -EINVAL;
}

static int look(struct span slot, struct failure *error)
{
	char path[sizeof SHARE + PATH_MAX], text[64];

	if (slot_kind(slot) != SLOT_OF_POD)
		return 0;
	snprintf(path, sizeof path, SHARE "/%.*s", (int)slot.size, (const char *)slot.data);
	auto_close int volume = openat(early.root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return volume < 0 ? fail(error, -errno, "slot %s: %s", path, error_text(errno, text)) : 0;
}

int mounts_look(const struct container *container, struct failure *error)
{
	struct record record;
	struct mount_record wanted;
	size_t at = 0;

	/* each member's slots lie in it */
	auto_close int pod = openat(early.root, SHARE "/pod", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (container_next(container, RECORD_MOUNT, &at, &record)) {
		if (mount_parse(&record, &wanted) < 0 || wanted.kind != MOUNT_SLOT)
			continue;
		int r = look(wanted.source, error);
		if (r == 0)
			r = look(wanted.type, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int mounts_apply(const struct container *container, struct failure *error)
{
	struct record record;
	char text[64];
	size_t at = 0;
	int r = stage_enter();

	if (r < 0)
		return fail(error, r, "mounts can not be made ready: %s", error_text(r, text));
	while (r == 0 && container_next(container, RECORD_MOUNT, &at, &record))
		r = mount_one(container, &record, error);
	int left = stage_leave();
	if (r == 0 && left < 0)
		return left;
	/* the file that shows them is one, of the first container's */
	if (r == 0 && container->root_slot.size == 0)
		fstab_show();
	return r;
}
