/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/disk_mount.h"

#include "common/channel.h"
#include "common/clock.h"
#include "common/disk_label.h"
#include "guest/disks/copyup.h"
#include "guest/disks/disk_find.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/disks/fstab.h"
#include "guest/disks/grow.h"
#include "guest/log.h"
#include "guest/kernel/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
	FILESYSTEMS_SIZE = 4096,       /* bytes of /proc/filesystems */
	WORD_EVERY_MILLIS = 10 * 1000, /* the monitor gives a set-up a minute without a word */
};

static int64_t last_word;

/* Tell the monitor that a long copy goes on. */
static void say_progress(void)
{
	int64_t now = now_millis();

	if (now - last_word < WORD_EVERY_MILLIS)
		return;
	last_word = now;
	log_text(LOG_LEVEL_INFO, "a disk is being filled with the image's files");
	channel_flush();
}

/* Lines of /proc/filesystems are "nodev", a tab, a name. */
static bool knows_filesystem(const char *type)
{
	char text[FILESYSTEMS_SIZE], wanted[64];

	if (read_text(early.proc, "filesystems", text, sizeof text) <= 0)
		return false;
	snprintf(wanted, sizeof wanted, "\t%s\n", type);
	return strstr(text, wanted) != NULL;
}

static int load_filesystem(const char *type, const char *target, struct failure *error)
{
	char list[64];

	if (knows_filesystem(type))
		return 0;
	snprintf(list, sizeof list, "modules-%s.list", type);
	early_load_modules(list);
	if (knows_filesystem(type))
		return 0;
	return fail(error, -ENODEV, "disk for %s: the guest's kernel has no %s", target, type);
}

static bool is_new(int mounted)
{
	char label[FSLABEL_MAX] = "";

	return ioctl(mounted, FS_IOC_GETFSLABEL, label) == 0 && strcmp(label, DISK_LABEL_NEW) == 0;
}

/* All of it first, then the label that says so: a copy that was cut short is made again. */
static int fill(int mounted, int covered, const char *target)
{
	char label[FSLABEL_MAX] = "";

	/* a program that wants an empty directory for its data would not find one; e2fsck makes it again if it needs it */
	unlinkat(mounted, "lost+found", AT_REMOVEDIR);
	int r = copy_up_directory(covered, target, say_progress);
	if (r == 0)
		r = copy_up_own(covered, target);
	if (r == 0 && syncfs(mounted) < 0)
		r = -errno;
	if (r == 0 && ioctl(mounted, FS_IOC_SETFSLABEL, label) < 0)
		r = -errno;
	return r;
}

/* place: what it covers, O_PATH */
static int stage_device(const char *device, const char *target, const char *type, unsigned long flags, const char *data,
			int place, struct failure *error)
{
	char text[64];
	auto_close int covered = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (covered < 0 || mount(device, STAGE_DIRECTORY, type, flags, data[0] ? data : NULL) < 0)
		return fail(error, -errno, "disk for %s: %s can not be mounted: %s", target, type,
			    error_text(errno, text));
	auto_close int mounted = open(STAGE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mounted < 0 || !is_new(mounted))
		return 0;
	last_word = now_millis();
	int r = fill(mounted, covered, STAGE_DIRECTORY);
	if (r < 0)
		stage_clear(true);
	return r < 0 ? fail(error, r, "disk for %s: the image's files can not be copied: %s", target,
			    error_text(r, text))
		     : 0;
}

int disk_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data,
	       int place, struct failure *error)
{
	char device[PATH_MAX], text[64];

	if (disk_find(source, device, sizeof device) < 0)
		return fail(error, -ENODEV, "disk %s for %s is not there", source, target);
	int r = load_filesystem(type, target, error);
	if (r == 0)
		r = stage_device(device, target, type, flags, data, place, error);
	if (r < 0)
		return r;
	r = grow_filesystem(type, device, STAGE_DIRECTORY);
	if (r < 0)
		log_text(LOG_LEVEL_WARNING, "disk for %s: %s keeps its size: %s", target, type, error_text(r, text));
	fstab_add(device, target, type, data);
	return 0;
}
