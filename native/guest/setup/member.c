/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/member.h"

#include "common/files.h"
#include "guest/early.h"
#include "guest/kernel/group.h"
#include "guest/kernel/mountlist.h"
#include "guest/kernel/stage.h"
#include "guest/setup/devices.h"
#include "guest/setup/masks.h"
#include "guest/setup/mounts.h"
#include "guest/setup/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define STRICT (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define CGROUP_TREE "/sys/fs/cgroup"

/* Those of the sysfs that the engine asks for there: it may be read-only. */
static unsigned long sys_flags(const struct container *container)
{
	struct record record;
	struct mount_record mount;
	size_t at = 0;

	while (container_next(container, RECORD_MOUNT, &at, &record))
		if (mount_parse(&record, &mount) == 0 && mount.kind == MOUNT_FILESYSTEM &&
		    span_is(mount.target, "/sys") && span_is(mount.type, "sysfs"))
			return mount.flags;
	return STRICT;
}

static int mount_cgroups(const struct container *container, struct failure *error)
{
	char text[64];

	if (container->cgroups != CGROUPS_V2)
		return 0;
	if (mount("cgroup2", CGROUP_TREE, "cgroup2", STRICT | MS_RELATIME, NULL) < 0)
		return fail(error, -errno, "cgroup2 can not be mounted: %s", error_text(errno, text));
	return 0;
}

static int fill(const struct container *container, struct failure *error)
{
	char text[64];
	int r = mounts_standard(container, error);

	if (r == 0)
		r = mount_cgroups(container, error);
	if (r == 0)
		r = mounts_apply(container, error);
	if (r == 0)
		r = devices_make(container, error);
	if (r < 0)
		return r;
	if (mount("proc", "/proc", "proc", STRICT, NULL) < 0)
		return fail(error, -errno, "/proc can not be mounted: %s", error_text(errno, text));
	r = masks_apply(container);
	if (r < 0)
		return fail(error, r, "paths can not be masked: %s", error_text(r, text));
	r = root_hide_all();
	if (r < 0)
		return fail(error, r, "the share can not be hidden: %s", error_text(r, text));
	return container->read_only_root ? root_make_read_only(error) : 0;
}

/* Of those that it may share. */
static int own_namespaces(const struct container *container)
{
	return (container->own_ipc ? CLONE_NEWIPC : 0) | (container->host_name.size > 0 ? CLONE_NEWUTS : 0);
}

int member_leave(uint32_t number, const struct container *container, struct failure *error)
{
	char text[64];

	fail(error, 0, "the container can not be set up");
	int r = group_make(number, container, error);

	if (r < 0)
		return r;
	r = group_join(number, 0);
	if (r < 0)
		return fail(error, r, "control group: %s", error_text(r, text));
	r = mounts_look(container, error);
	if (r < 0)
		return r;
	/* the working directory is then in the copy of the initramfs */
	if (fchdir(early.root) < 0 || unshare(CLONE_NEWNS | CLONE_NEWCGROUP | own_namespaces(container)) < 0)
		return fail(error, -errno, "namespaces: %s", error_text(errno, text));
	struct span name = container->host_name;
	if (name.size > 0 && sethostname((const char *)name.data, name.size) < 0)
		return fail(error, -errno, "host name: %s", error_text(errno, text));
	return 0;
}

int member_set_up(const struct container *container, struct failure *error)
{
	char slot[PATH_MAX];
	int r = span_copy(container->root_slot, slot, sizeof slot);

	fail(error, 0, "the container can not be set up");
	if (r == 0)
		r = root_mount_member(slot, sys_flags(container), error);
	return r == 0 ? fill(container, error) : r;
}

/* Names that nobody uses go with what they stand for, which the host's side has open for them: proc_sys_vm(5) would drop all of the VM's. */
static void forget_names(void)
{
	mount(NULL, SHARE "/pod", NULL, MS_REMOUNT, NULL);
}

static void clean_agents(uint32_t number)
{
	static char info[MOUNTS_SIZE];
	static char *points[MOUNTS_MAX];
	char below[64];

	if (fchdir(early.root) == 0 && chroot(".") == 0 &&
	    read_text(early.proc, "self/mountinfo", info, sizeof info) > 0) {
		size_t size = (size_t)snprintf(below, sizeof below, "/" SHARE "/pod/%u/", number);
		for (int i = mount_points(info, points) - 1; i >= 0; i--)
			if (strncmp(points[i], below, size) == 0)
				umount2(points[i], UMOUNT_NOFOLLOW | MNT_DETACH);
		forget_names();
	}
}

/*
 * Detach the roots of a mount namespace one after the other: a member's, or what a set-up that was cut short has left; the last is the
 * initramfs's own, which stays.
 */
static void unmount_all(int mounts)
{
	auto_close int own = openat(early.proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return;
	while (setns(mounts, CLONE_NEWNS) == 0 && umount2("/", MNT_DETACH) == 0)
		continue;
	umount2("/" SHARE, UMOUNT_NOFOLLOW | MNT_DETACH);
	setns(own, CLONE_NEWNS);
}

void member_clean(uint32_t number, int mounts)
{
	root_settle();
	if (mounts >= 0) {
		unmount_all(mounts);
		close(mounts);
	}
	clean_agents(number);
	sync();
}
