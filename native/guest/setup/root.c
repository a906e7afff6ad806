/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/root.h"

#include "common/clock.h"
#include "guest/early.h"
#include "common/files.h"
#include "common/place.h"
#include "guest/kernel/group.h"
#include "guest/log.h"
#include "guest/kernel/mountlist.h"
#include "guest/kernel/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define TAG "dkvm"
#define NEW_ROOT "newroot"

enum {
	TAG_WAIT_MILLIS = 5000,
	SETTLING_ANSWERS = 8,
};

/* A share's device may come up after its driver was loaded: the kernel says EINVAL for a tag it does not know. */
static int mount_share(void)
{
	int64_t deadline = now_millis() + TAG_WAIT_MILLIS;
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	while (mount(TAG, SHARE, "virtiofs", 0, NULL) < 0) {
		if (errno != EINVAL || now_millis() >= deadline)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int show_share(struct failure *error)
{
	char text[64];

	if ((mkdir(SHARE, 0700) < 0 && errno != EEXIST) || (mkdir(NEW_ROOT, 0755) < 0 && errno != EEXIST))
		return fail(error, -errno, "%s: %s", SHARE, error_text(errno, text));
	int r = mount_share();
	return r < 0 ? fail(error, r, "share \"%s\" can not be mounted: %s", TAG, error_text(r, text)) : 0;
}

/* The slot of the root, shown where nothing is but it; its name is ours, so no link is followed. */
static int show_root(const char *slot, struct failure *error)
{
	char path[PATH_MAX], text[64];

	snprintf(path, sizeof path, SHARE "/%s", slot);
	/* looked into, so that it is mounted */
	auto_close int looked = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (looked < 0 || mount(path, NEW_ROOT, NULL, MS_BIND, NULL) < 0)
		return fail(error, -errno, "the image's root can not be mounted: %s", error_text(errno, text));
	return 0;
}

/* Moved to /, not only entered: who joins the mount namespace must find this root, and CLONE_NEWUSER fails with a root that is not the namespace's. */
static int switch_root(struct failure *error)
{
	char text[64];

	if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    fchdir(early.root) < 0)
		return fail(error, -errno, "the root can not be switched: %s", error_text(errno, text));
	umask(0022);
	return 0;
}

/* As runc: what a link would lead elsewhere is refused, but for /dev. */
static int check_ordinary(int root, const char *name, struct failure *error)
{
	struct stat st;

	if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
		return fail(error, -ENOTDIR, "filesystem \"%s\" must be mounted on ordinary directory", name);
	return 0;
}

static int make_mount_point(int root, const char *name, struct failure *error)
{
	char text[64];
	int place = place_make(root, name, true);

	if (place < 0)
		return fail(error, place, "/%s can not be made in the image: %s; add the directory to the image", name,
			    error_text(place, text));
	return place;
}

/* From the initramfs, which is the working directory. */
static int move_in(int root, const char *from, const char *name, struct failure *error)
{
	char text[64];
	auto_close int place = make_mount_point(root, name, error);

	if (place < 0)
		return place;
	int r = stage_move(from, place);
	return r < 0 ? fail(error, r, "/%s can not be mounted: %s", name, error_text(r, text)) : 0;
}

/* The workload mounts /proc for its own PID namespace. */
static int make_proc(int root, struct failure *error)
{
	int r = check_ordinary(root, "proc", error);

	if (r == 0)
		r = check_ordinary(root, "sys", error);
	if (r < 0)
		return r;
	auto_close int proc = make_mount_point(root, "proc", error);
	return proc < 0 ? proc : 0;
}

static int fill(int root, struct failure *error)
{
	int r = make_proc(root, error);

	if (r == 0)
		r = move_in(root, "dev", "dev", error);
	return r == 0 ? move_in(root, "sys", "sys", error) : r;
}

int root_mount(struct failure *error)
{
	int r = fchdir(early.root) < 0 ? -errno : show_share(error);

	if (r == 0)
		r = show_root("root", error);
	if (r == 0)
		r = switch_root(error);
	if (r < 0)
		return r;
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : fill(root, error);
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	return r;
}

/* Those that runc makes in every container. */
static int make_nodes(void)
{
	static const struct {
		const char *name;
		unsigned int minor;
	} memory[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
	auto_close int dev = open(STAGE_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const mode_t mode = 0666;

	if (dev < 0)
		return -errno;
	for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
		if (mknodat(dev, memory[i].name, S_IFCHR | mode, makedev(1, memory[i].minor)) < 0 ||
		    fchmodat(dev, memory[i].name, mode, 0) < 0)
			return -errno;
	return mknodat(dev, "tty", S_IFCHR | mode, makedev(5, 0)) < 0 || fchmodat(dev, "tty", mode, 0) < 0 ? -errno : 0;
}

static int mount_dev(int root, struct failure *error)
{
	char text[64];
	int r = mount("tmpfs", STAGE_DIRECTORY, "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k") < 0
			? -errno
			: make_nodes();

	return r < 0 ? fail(error, r, "/dev can not be made: %s", error_text(r, text))
		     : move_in(root, STAGE_DIRECTORY, "dev", error);
}

static int mount_sys(int root, unsigned long flags, struct failure *error)
{
	char text[64];

	if (mount("sysfs", STAGE_DIRECTORY, "sysfs", flags, NULL) < 0)
		return fail(error, -errno, "/sys can not be mounted: %s", error_text(errno, text));
	return move_in(root, STAGE_DIRECTORY, "sys", error);
}

/* What was copied of the first container's goes. From then on the initramfs is this namespace's own. */
static int leave_first(struct failure *error)
{
	char text[64];

	if (umount2("/", MNT_DETACH) < 0 || chroot(".") < 0)
		return fail(error, -errno, "the first container's root can not be left: %s", error_text(errno, text));
	int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || dup3(root, early.root, O_CLOEXEC) < 0)
		return fail(error, -errno, "the initramfs: %s", error_text(errno, text));
	close(root);
	return 0;
}

int root_mount_member(const char *slot, unsigned long sys_flags, struct failure *error)
{
	int r = leave_first(error);

	if (r == 0)
		r = show_root(slot, error);
	if (r == 0)
		r = switch_root(error);
	if (r == 0)
		r = stage_enter();
	if (r < 0)
		return r;
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : make_proc(root, error);
	if (r == 0)
		r = mount_dev(root, error);
	if (r == 0)
		r = mount_sys(root, sys_flags, error);
	int left = stage_leave();
	return r == 0 ? left : r;
}

int root_hide_share(void)
{
	int r = umount2(SHARE, MNT_DETACH) < 0 ? -errno : 0;

	return chdir("/") < 0 && r == 0 ? -errno : r;
}

int root_hide_all(void)
{
	static const char *const all[] = {POD_FILESYSTEMS, GROUPS, "proc"};
	int r = fchdir(early.root) < 0 ? -errno : 0;

	for (size_t i = 0; r == 0 && i < sizeof all / sizeof all[0]; i++)
		if (umount2(all[i], UMOUNT_NOFOLLOW | MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
			r = -errno;
	return r == 0 ? root_hide_share() : r;
}

int root_make_read_only(struct failure *error)
{
	char text[64];

	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return fail(error, -errno, "the root can not be made read-only: %s", error_text(errno, text));
	return 0;
}

void root_make_writable(void)
{
	mount(NULL, "/", NULL, MS_REMOUNT, NULL);
}

/* The host's side answers one after the other. An answer may lead to another request, and somebody else may have taken it to deal with. */
void root_settle(void)
{
	const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
	struct statfs fs;
	auto_close int share = openat(early.root, SHARE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; share >= 0 && i < SETTLING_ANSWERS && fstatfs(share, &fs) == 0; i++)
		nanosleep(&pause, NULL);
}

void root_unmount(bool settle)
{
	static char info[MOUNTS_SIZE];
	static char *points[MOUNTS_MAX];
	char text[64];

	if (settle)
		root_settle();
	if (read_text(early.proc, "self/mountinfo", info, sizeof info) > 0) {
		for (int i = mount_points(info, points) - 1; i >= 0; i--) {
			/* the agent has files of its own open in these, which have nothing to write back */
			bool keep = strcmp(points[i], "/dev") == 0 || strcmp(points[i], "/sys") == 0;
			if (strcmp(points[i], "/") == 0 ||
			    umount2(points[i], UMOUNT_NOFOLLOW | (keep ? MNT_DETACH : 0)) == 0)
				continue;
			log_text(LOG_LEVEL_WARNING, "unmount of %s: %s", points[i], error_text(errno, text));
			umount2(points[i], UMOUNT_NOFOLLOW | MNT_DETACH);
		}
	}
	sync();
	/* detached: it is the agent's own root until the next line */
	if (umount2("/", MNT_DETACH) < 0)
		log_text(LOG_LEVEL_WARNING, "unmount of /: %s", error_text(errno, text));
	if (fchdir(early.root) < 0 || chroot(".") < 0)
		log_text(LOG_LEVEL_WARNING, "back to the initramfs: %s", error_text(errno, text));
	umount2(SHARE, UMOUNT_NOFOLLOW | MNT_DETACH);
	umount2(POD_FILESYSTEMS, UMOUNT_NOFOLLOW | MNT_DETACH);
	umount2(GROUPS, UMOUNT_NOFOLLOW | MNT_DETACH);
}
