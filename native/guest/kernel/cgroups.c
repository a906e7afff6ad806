/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/cgroups.h"

#include "guest/early.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TREE "/sys/fs/cgroup"
#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME)

static int join_fd = -1;  /* cgroup.procs of the workload's group */
static int pids_fd = -1;  /* pids.max of it */
static int tree_fd = -1;  /* the hierarchy that both are in, where it is cgroup2 */
static bool unified_tree; /* TREE is cgroup2 and seen by the workload */

static const struct {
	const char *controller, *directory;
} joined[] = {{"cpu", "cpu,cpuacct"},
	      {"cpuacct", "cpu,cpuacct"},
	      {"net_cls", "net_cls,net_prio"},
	      {"net_prio", "net_cls,net_prio"}};

static int mount_v1(const char *directory, const char *options, struct failure *error)
{
	char path[128], text[64];

	snprintf(path, sizeof path, TREE "/%s", directory);
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (mount("cgroup", path, "cgroup", MOUNT_FLAGS, options) < 0)
		return fail(error, -errno, "cgroup v1 %s: %s", directory, error_text(errno, text));
	return 0;
}

/* One hierarchy for each controller, those that systemd joins together with links from their single names. */
static int mount_controller(const char *controller, struct failure *error)
{
	const char *directory = controller;
	char path[128];

	for (size_t i = 0; i < sizeof joined / sizeof joined[0]; i++)
		if (strcmp(joined[i].controller, controller) == 0)
			directory = joined[i].directory;
	int r = mount_v1(directory, directory, error);
	snprintf(path, sizeof path, TREE "/%s", controller);
	if (r == 0 && directory != controller && symlink(directory, path) < 0)
		r = -errno;
	return r;
}

static int mount_v1_tree(bool hybrid, struct failure *error)
{
	char list[4096], name[64];
	char *rest = list, *line;
	int enabled;

	if (mount("tmpfs", TREE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0)
		return fail(error, -errno, "cgroup tree can not be mounted");
	int r = mount_v1("systemd", "none,name=systemd", error);
	if (read_text(early.proc, "cgroups", list, sizeof list) < 0)
		return fail(error, -ENOENT, "the kernel has no cgroup controllers");
	while (r == 0 && (line = strsep(&rest, "\n")))
		if (sscanf(line, "%63[a-z_]\t%*d\t%*d\t%d", name, &enabled) == 2 && enabled)
			r = mount_controller(name, error);
	if (r == 0 && hybrid) {
		if (mkdir(TREE "/unified", 0755) < 0 ||
		    mount("cgroup2", TREE "/unified", "cgroup2", MOUNT_FLAGS, NULL) < 0)
			r = fail(error, -errno, "cgroup2 can not be mounted");
	}
	return r;
}

int cgroups_delegate(const char *base)
{
	char path[160], list[1024], word[66];
	char *rest = list, *name;
	int r = -ENOENT;

	snprintf(path, sizeof path, "%s/cgroup.controllers", base);
	if (read_text(AT_FDCWD, path, list, sizeof list) < 0)
		return -ENOENT;
	snprintf(path, sizeof path, "%s/cgroup.subtree_control", base);
	while ((name = strsep(&rest, " \n"))) {
		snprintf(word, sizeof word, "+%.64s", name);
		int done = name[0] ? write_text(AT_FDCWD, path, word) : 0;
		if (strcmp(name, "pids") == 0)
			r = done;
	}
	return r;
}

/* base is the root of a hierarchy, relative to the initramfs unless absolute. */
static int limit(const char *base, bool v2, uint64_t pids, struct failure *error)
{
	char path[160], number[32], text[64];
	int r = 0;

	if (fchdir(early.root) < 0)
		return -errno;
	if (v2 && (tree_fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -errno;
	if (v2)
		r = cgroups_delegate(base);
	snprintf(path, sizeof path, "%s/workload", base);
	if (r == 0 && mkdir(path, 0755) < 0 && errno != EEXIST)
		r = -errno;
	snprintf(path, sizeof path, "%s/workload/pids.max", base);
	snprintf(number, sizeof number, "%llu", (unsigned long long)pids);
	if (r == 0)
		r = write_text(AT_FDCWD, path, number);
	if (r == 0 && (pids_fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		r = -errno;
	snprintf(path, sizeof path, "%s/workload/cgroup.procs", base);
	if (r == 0 && (join_fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		r = -errno;
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	return r < 0 ? fail(error, r, "process limit %s: %s", number, error_text(r, text)) : 0;
}

/* Without a tree of its own the workload is limited through one that it does not see. */
static int limit_unseen(uint64_t pids, struct failure *error)
{
	char text[64];

	if (fchdir(early.root) < 0 || (mkdir("cgroup", 0755) < 0 && errno != EEXIST) ||
	    mount("cgroup2", "cgroup", "cgroup2", MOUNT_FLAGS, NULL) < 0)
		return fail(error, -errno, "process limit: cgroup2: %s", error_text(errno, text));
	return limit("cgroup", true, pids, error);
}

int cgroups_mount(const struct container *container, struct failure *error)
{
	bool limited = container->pids_limit > 0;
	char text[64];
	int r = 0;

	switch (container->cgroups) {
	case CGROUPS_NONE:
		return limited ? limit_unseen(container->pids_limit, error) : 0;
	case CGROUPS_V2:
		if (mount("cgroup2", TREE, "cgroup2", MOUNT_FLAGS, NULL) < 0)
			return fail(error, -errno, "cgroup2 can not be mounted: %s", error_text(errno, text));
		/* a volume that covers it stays */
		unified_tree = limited && !container_mounts_on(container, TREE);
		return limited ? limit(TREE, true, container->pids_limit, error) : 0;
	case CGROUPS_V1:
	case CGROUPS_HYBRID:
		r = mount_v1_tree(container->cgroups == CGROUPS_HYBRID, error);
		return r == 0 && limited ? limit(TREE "/pids", false, container->pids_limit, error) : r;
	}
	return -EINVAL;
}

int cgroups_set_pids(uint64_t limit)
{
	char number[32];

	if (pids_fd < 0)
		return -ENOENT;
	int n = limit == CGROUPS_NO_LIMIT ? snprintf(number, sizeof number, "max")
					  : snprintf(number, sizeof number, "%llu", (unsigned long long)limit);
	return pwrite(pids_fd, number, (size_t)n, 0) == n ? 0 : -errno;
}

/* The group that the workload's first process is in by now, below its own. */
static int join_first(pid_t first)
{
	char path[64], line[PATH_MAX], procs[PATH_MAX + 16];

	snprintf(path, sizeof path, "%d/cgroup", (int)first);
	if (tree_fd < 0 || read_text(early.proc, path, line, sizeof line) < 0)
		return -EBUSY;
	const char *group = strstr(line, "0::/workload/");
	if (!group)
		return -EBUSY;
	snprintf(procs, sizeof procs, "%.*s/cgroup.procs", (int)strcspn(group + 4, "\n"), group + 4);
	return write_text(tree_fd, procs, "0");
}

int cgroups_join(pid_t first)
{
	if (join_fd < 0 || write(join_fd, "0", 1) == 1)
		return 0;
	/* systemd has made groups in it: there are no processes beside groups */
	return errno == EBUSY && first > 0 ? join_first(first) : -errno;
}

int cgroups_hide_parent(void)
{
	if (join_fd < 0)
		return 0;
	if (unshare(CLONE_NEWCGROUP) < 0)
		return -errno;
	if (!unified_tree)
		return 0;
	if (umount2(TREE, MNT_DETACH) < 0 || mount("cgroup2", TREE, "cgroup2", MOUNT_FLAGS, NULL) < 0)
		return -errno;
	return 0;
}

void cgroups_release(void)
{
	close_clear(&join_fd);
	close_clear(&pids_fd);
	close_clear(&tree_fd);
}
