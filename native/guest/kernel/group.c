/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/group.h"

#include "common/clock.h"
#include "common/files.h"
#include "guest/early.h"
#include "guest/kernel/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME)

enum {
	END_MILLIS = 30 * 1000, /* what has been killed dies in that time, or is left */
	LOOK_MILLIS = 50,       /* whoever has come meanwhile is killed that often */
	EVENTS_SIZE = 1024,     /* bytes of memory.events */
};

#define MOST_GROUPS "1024"
#define MOST_DEPTH "32"

static bool mounted;

static int open_group(uint32_t number)
{
	char path[64];

	snprintf(path, sizeof path, GROUPS "/container-%u", number);
	int fd = openat(early.root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* With nsdelegate nobody changes the limits of the group that he sees as the root of all. */
static int mount_groups(void)
{
	struct stat top, groups;

	if (fchdir(early.root) < 0 || (mkdir(GROUPS, 0755) < 0 && errno != EEXIST) || stat(".", &top) < 0 ||
	    stat(GROUPS, &groups) < 0)
		return -errno;
	/* the first container may have had it mounted for its own limit */
	unsigned long again = top.st_dev != groups.st_dev ? MS_REMOUNT : 0;
	if (mount("cgroup2", GROUPS, "cgroup2", MOUNT_FLAGS | again, "nsdelegate") < 0)
		return -errno;
	int r = cgroups_delegate(GROUPS);
	return r == -ENOENT ? 0 : r;
}

int group_mount(struct failure *error)
{
	char text[64];

	if (mounted)
		return 0;
	int r = mount_groups();
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	mounted = r == 0;
	return r < 0 ? fail(error, r, "control groups: %s", error_text(r, text)) : 0;
}

static int set(int group, const char *file, const char *value, const char *what, struct failure *error)
{
	char text[64];
	int r = write_text(group, file, value);

	if (r == -ENOENT)
		return fail(error, r, "%s %s can not be set: the VM has no control groups of version 2 for that", what,
			    value);
	return r < 0 ? fail(error, r, "%s %s can not be set: %s", what, value, error_text(r, text)) : 0;
}

static int set_number(int group, const char *file, uint64_t value, const char *what, struct failure *error)
{
	char number[32];

	if (value == 0)
		return 0;
	if (value == CGROUPS_NO_LIMIT)
		snprintf(number, sizeof number, "max");
	else
		snprintf(number, sizeof number, "%llu", (unsigned long long)value);
	return set(group, file, number, what, error);
}

static int set_limits(int group, const struct container *container, struct failure *error)
{
	char cpu[64];
	int r = set_number(group, "pids.max", container->pids_limit, "process limit", error);

	if (r == 0)
		r = set_number(group, "cpu.weight", container->cpu_weight, "cpu weight", error);
	if (r < 0)
		return r;
	if (container->cpu_quota == 0)
		return set_number(group, "memory.max", container->memory_limit, "memory limit", error);
	if (container->cpu_quota == CGROUPS_NO_LIMIT)
		snprintf(cpu, sizeof cpu, "max");
	else
		snprintf(cpu, sizeof cpu, "%llu %llu", (unsigned long long)container->cpu_quota,
			 (unsigned long long)container->cpu_period);
	r = set(group, "cpu.max", cpu, "cpu limit", error);
	/* last: what is over it is killed at once */
	return r < 0 ? r : set_number(group, "memory.max", container->memory_limit, "memory limit", error);
}

int group_make(uint32_t number, const struct container *container, struct failure *error)
{
	char path[64], text[64];

	snprintf(path, sizeof path, GROUPS "/container-%u", number);
	if (mkdirat(early.root, path, 0755) < 0)
		return fail(error, -errno, "control group: %s", error_text(errno, text));
	auto_close int group = open_group(number);
	if (group < 0)
		return fail(error, group, "control group: %s", error_text(group, text));
	/* groups that a container makes in its own are kernel memory, and are removed one by one */
	write_text(group, "cgroup.max.descendants", MOST_GROUPS);
	write_text(group, "cgroup.max.depth", MOST_DEPTH);
	return set_limits(group, container, error);
}

int group_change(uint32_t number, const struct container *limits)
{
	struct failure error;
	auto_close int group = open_group(number);

	return group < 0 ? group : set_limits(group, limits, &error);
}

/* The group that the first process is in by now, below its own. */
static int join_first(uint32_t number, pid_t first)
{
	char path[64], line[PATH_MAX], procs[PATH_MAX + 32];

	snprintf(path, sizeof path, "%d/cgroup", (int)first);
	if (read_text(early.proc, path, line, sizeof line) < 0)
		return -EBUSY;
	snprintf(path, sizeof path, "0::/container-%u/", number);
	const char *group = strstr(line, path);
	if (!group)
		return -EBUSY;
	snprintf(procs, sizeof procs, GROUPS "/%.*s/cgroup.procs", (int)strcspn(group + 4, "\n"), group + 4);
	return write_text(early.root, procs, "0");
}

int group_join(uint32_t number, pid_t first)
{
	auto_close int group = open_group(number);
	int r = group < 0 ? group : write_text(group, "cgroup.procs", "0");

	return r == -EBUSY && first > 0 ? join_first(number, first) : r;
}

void group_kill(uint32_t number)
{
	auto_close int group = open_group(number);

	if (group >= 0)
		write_text(group, "cgroup.kill", "1");
}

bool group_ran_out(const char *events)
{
	static const char name[] = "oom_kill ";
	const char *found = strncmp(events, name, sizeof name - 1) == 0 ? events : strstr(events, "\noom_kill ");

	return found && strtoull(strchr(found, ' ') + 1, NULL, 10) > 0;
}

static bool has_run_out(int group)
{
	char events[EVENTS_SIZE];

	return read_text(group, "memory.events", events, sizeof events) > 0 && group_ran_out(events);
}

bool group_has_run_out(uint32_t number)
{
	auto_close int group = open_group(number);

	return group >= 0 && has_run_out(group);
}

static bool is_populated(int events)
{
	char text[256];
	ssize_t n = pread(events, text, sizeof text - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/* Who is on the way into the group while it is killed comes to life in it: it is killed until it is empty. */
static int kill_all(int group)
{
	int64_t deadline = now_millis() + END_MILLIS;
	auto_close int events = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (events < 0)
		return -errno;
	while (is_populated(events)) {
		struct pollfd changed = {.fd = events, .events = POLLPRI};
		if (now_millis() >= deadline)
			return -EBUSY;
		write_text(group, "cgroup.kill", "1");
		poll(&changed, 1, LOOK_MILLIS);
	}
	return 0;
}

/* Remove the empty ones of a directory's groups. Returns a descriptor of one that is not, -ENOENT: all are gone. */
static int remove_below(int directory)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), left = -ENOENT;
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!entries) {
		close_cleanup(&copy);
		return -ENOENT;
	}
	while ((entry = readdir(entries))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(directory, entry->d_name, AT_REMOVEDIR) < 0 && left < 0)
			left = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	closedir(entries);
	return left < 0 ? -ENOENT : left;
}

/* A container may have made groups in its own, as deep as it liked. Nobody is in them any more. */
static void remove_all_below(int group)
{
	int64_t deadline = now_millis() + END_MILLIS;
	int at = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), depth = 0;

	while (at >= 0 && now_millis() < deadline) {
		int next = remove_below(at);
		if (next < 0 && depth == 0)
			break;
		depth += next < 0 ? -1 : 1;
		if (next < 0)
			next = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close_cleanup(&at);
}

int group_end(uint32_t number)
{
	char path[64];
	auto_close int group = open_group(number);

	if (group < 0)
		return 0;
	int r = kill_all(group);
	bool ran_out = has_run_out(group);
	if (r < 0)
		return r;
	remove_all_below(group);
	snprintf(path, sizeof path, GROUPS "/container-%u", number);
	if (unlinkat(early.root, path, AT_REMOVEDIR) < 0)
		return -errno;
	return ran_out;
}
