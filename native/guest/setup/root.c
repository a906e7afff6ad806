/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/root.h"

#include "common/clock.h"
#include "guest/early.h"
#include "common/files.h"
#include "common/place.h"
#include "guest/log.h"
#include "guest/kernel/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TAG "dkvm"
#define NEW_ROOT "newroot"

enum {
	TAG_WAIT_MILLIS = 5000,
	MOUNTINFO_SIZE = 256 * 1024, /* bytes */
	MOUNTS_MAX = 2048,
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

/* The slot of the root, shown where nothing is but it; its name is ours, so no link is followed. */
static int show_root(struct failure *error)
{
	char text[64];

	if ((mkdir(SHARE, 0700) < 0 && errno != EEXIST) || (mkdir(NEW_ROOT, 0755) < 0 && errno != EEXIST))
		return fail(error, -errno, "%s: %s", SHARE, error_text(errno, text));
	int r = mount_share();
	if (r < 0)
		return fail(error, r, "share \"%s\" can not be mounted: %s", TAG, error_text(r, text));
	/* looked into, so that it is mounted */
	auto_close int slot = open(SHARE "/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (slot < 0 || mount(SHARE "/root", NEW_ROOT, NULL, MS_BIND, NULL) < 0)
		return fail(error, -errno, "the image's root can not be mounted: %s", error_text(errno, text));
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
static int move_in(int root, const char *name, struct failure *error)
{
	char text[64];
	auto_close int place = make_mount_point(root, name, error);

	if (place < 0)
		return place;
	int r = stage_move(name, place);
	return r < 0 ? fail(error, r, "/%s can not be mounted: %s", name, error_text(r, text)) : 0;
}

/* The workload mounts /proc for its own PID namespace. */
static int fill(int root, struct failure *error)
{
	int r = check_ordinary(root, "proc", error);

	if (r == 0)
		r = check_ordinary(root, "sys", error);
	if (r < 0)
		return r;
	auto_close int proc = make_mount_point(root, "proc", error);
	r = proc < 0 ? proc : move_in(root, "dev", error);
	return r == 0 ? move_in(root, "sys", error) : r;
}

int root_mount(struct failure *error)
{
	char text[64];
	int r = fchdir(early.root) < 0 ? -errno : show_root(error);

	if (r < 0)
		return r;
	/* moved to /, not only entered: who joins the mount namespace must find this root, and CLONE_NEWUSER fails
	 * with a root that is not the namespace's */
	if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    fchdir(early.root) < 0)
		return fail(error, -errno, "the root can not be switched: %s", error_text(errno, text));
	umask(0022);
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : fill(root, error);
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	return r;
}

int root_hide_share(void)
{
	int r = umount2(SHARE, MNT_DETACH) < 0 ? -errno : 0;

	return chdir("/") < 0 && r == 0 ? -errno : r;
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

/* Undo the octal escapes of /proc/self/mountinfo in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The fifth field of each line is the mount point. */
static int mount_points(char *info, char **points)
{
	int count = 0;
	char *line, *field = NULL;

	while ((line = strsep(&info, "\n"))) {
		for (int i = 0; i < 5 && line; i++)
			field = strsep(&line, " ");
		if (!line || count == MOUNTS_MAX)
			continue;
		unescape(field);
		points[count++] = field;
	}
	return count;
}

void root_unmount(void)
{
	static char info[MOUNTINFO_SIZE];
	static char *points[MOUNTS_MAX];
	char text[64];

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
}
