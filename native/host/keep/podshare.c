/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keep/podshare.h"

#include "common/files.h"
#include "host/keep/podawait.h"
#include "host/keep/podmember.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POD "pod"
#define SHARE "share"
#define SOCKET "socket"
#define PLANS "plans"
#define NUMBERS "numbers"
#define MEMORY "memory"
#define VOLUMES "volumes"

enum {
	OPTIONS_MAX = 2048,
	DEPTH_MAX = 5,    /* the pod, its share, a member, a slot, and nothing in that */
	STACKED_MAX = 64, /* mounts over one another, which nobody makes */
	ENTRIES_PASSES = 3,
};

/* A slot is a directory, or an empty file, and takes an inode each. */
#define SHARE_OPTIONS ",nr_inodes=65536,mode=755"

static bool names_nothing(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A directory that is no mount, and no link. */
static int open_plain(int parent, const char *name)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, parent, name, &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

/* Take off whatever is mounted there. What is mounted below it goes as well. */
static void detach(int parent, const char *name)
{
	char path[64 + NAME_MAX];

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
	for (int i = 0; i < STACKED_MAX && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; i++)
		continue;
}

static int remove_tree(int parent, const char *name, int depth);

static void empty(int directory, int depth)
{
	struct dirent *entry;
	int copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);

	if (!entries) {
		close_cleanup(&copy);
		return;
	}
	/* what is removed meanwhile may hide another name */
	for (int left = 1, pass = 0; left > 0 && pass < ENTRIES_PASSES; pass++) {
		left = 0;
		rewinddir(entries);
		while ((entry = readdir(entries)))
			if (!names_nothing(entry->d_name)) {
				remove_tree(directory, entry->d_name, depth);
				left++;
			}
	}
	closedir(entries);
}

/* Never into a mount, and through no link. 0 where nothing is there by that name, any more. */
static int remove_tree(int parent, const char *name, int depth)
{
	detach(parent, name);
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	auto_close int directory = depth > 0 ? open_plain(parent, name) : -1;
	if (directory >= 0)
		empty(directory, depth - 1);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int mount_small(int pod, const char *name, const char *options)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", pod, name);
	return mount("dkvm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0 ? -errno : 0;
}

/* Of a group of its own: where the host's /run is shared, others have the empty filesystem, but not what is mounted in it later. */
static int share_apart(int pod)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/" SHARE, pod);
	if (mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0 || mount(NULL, path, NULL, MS_SHARED, NULL) < 0)
		return -errno;
	auto_close int share = open_beneath(pod, SHARE, O_RDONLY | O_DIRECTORY);
	if (share < 0)
		return share;
	return mkdirat(share, VOLUMES, 0755) < 0 ? -errno : 0;
}

static int make_all(int vm, const char *options)
{
	static const char *const names[] = {SHARE, PLANS, NUMBERS, MEMORY, SOCKET};
	char larger[OPTIONS_MAX];

	if (snprintf(larger, sizeof larger, "%s" SHARE_OPTIONS, options) >= (int)sizeof larger)
		return -ENAMETOOLONG;
	int r = remove_tree(vm, POD, DEPTH_MAX);
	if (r < 0)
		return r;
	if (mkdirat(vm, POD, 0700) < 0)
		return -errno;
	auto_close int pod = open_plain(vm, POD);
	if (pod < 0)
		return pod;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (mkdirat(pod, names[i], 0755) < 0)
			return -errno;
	r = mount_small(pod, SOCKET, options);
	if (r == 0)
		r = mount_small(pod, SHARE, larger);
	return r < 0 ? r : share_apart(pod);
}

int podshare_make(int vm, const char *options, struct failure *failure)
{
	char text[64];
	int r = make_all(vm, options);

	if (r == 0)
		return 0;
	podshare_remove(vm);
	return fail(failure, r, "the pod's directory: %s", error_text(r, text));
}

int podshare_remove(int vm)
{
	return remove_tree(vm, POD, DEPTH_MAX);
}

bool podshare_is_member(int vm)
{
	return faccessat(vm, POD_MEMBER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Its text, which is the caller's to free; NULL, and why. */
static char *read_member(int vm, size_t *size, struct failure *failure)
{
	char error[64];
	struct stat st;
	auto_close int fd = openat(vm, POD_MEMBER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		fail(failure, -errno, "the file \"" POD_MEMBER "\": %s", error_text(errno, error));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > POD_MEMBER_BYTES) {
		fail(failure, -EINVAL, "the file \"" POD_MEMBER "\" is none, or too large");
		return NULL;
	}
	char *text = malloc((size_t)st.st_size + 1);
	if (!text) {
		fail(failure, -ENOMEM, "%s", error_text(ENOMEM, error));
		return NULL;
	}
	ssize_t n = pread(fd, text, (size_t)st.st_size, 0);
	*size = n > 0 ? (size_t)n : 0;
	text[*size] = '\0';
	return text;
}

/* A directory of the member's pod, -ENOENT where the pod is gone. */
static int open_of_pod(int vms, const struct pod_member *member, const char *name)
{
	char path[2 * NAME_MAX];

	snprintf(path, sizeof path, "%s/" POD "/%s", member->pod, name);
	return open_beneath(vms, path, O_RDONLY | O_DIRECTORY);
}

/* -ENOENT: nothing is mounted there, and what would be is nobody's. */
static int open_share(int vms, const struct pod_member *member)
{
	struct stat own, parents;
	auto_close int parent = open_of_pod(vms, member, ".");
	int share = open_of_pod(vms, member, SHARE);

	if (parent < 0 || share < 0) {
		close_clear(&share);
		return parent < 0 ? parent : -ENOENT;
	}
	if (fstat(share, &own) == 0 && fstat(parent, &parents) == 0 && own.st_dev != parents.st_dev)
		return share;
	close(share);
	return -ENOENT;
}

/* A user's namespace may not change when the time of access is kept: there it stays as it is. */
static int set_attributes(int tree, unsigned int recursive, unsigned long flags)
{
	struct mount_attr all = {
		.attr_set = (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)) |
			    (flags & MS_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0) |
			    (flags & MS_NOATIME       ? MOUNT_ATTR_NOATIME
			     : flags & MS_STRICTATIME ? MOUNT_ATTR_STRICTATIME
						      : 0),
		.attr_clr = flags & (MS_NOATIME | MS_RELATIME | MS_STRICTATIME) ? MOUNT_ATTR__ATIME : 0,
		/* what is mounted or unmounted below it must not be so at the source, nor the other way round where nobody asks for it */
		.propagation = flags & MS_SLAVE ? MS_SLAVE : MS_PRIVATE,
	};
	struct mount_attr less = all;

	if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &all, sizeof all) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	less.attr_set &= ~(uint64_t)(MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME);
	less.attr_clr = 0;
	return mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &less, sizeof less) < 0 ? -errno : 0;
}

/* It is another mount of the same files, which nobody has yet; -errno, and why. */
static int clone_source(const struct pod_slot *slot, struct stat *st, struct failure *failure)
{
	char text[64];
	unsigned int recursive = slot->recursive ? AT_RECURSIVE : 0;
	int tree = open_tree(AT_FDCWD, slot->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	int r = tree < 0 || fstat(tree, st) < 0 ? -errno : set_attributes(tree, recursive, slot->flags);

	if (r == 0)
		return tree;
	close_clear(&tree);
	return fail(failure, r, "\"%s\" can not be mounted: %s", slot->source,
		    r == -ENOSYS ? "the host's kernel has no mount_setattr(2): Linux 5.12 is needed"
				 : error_text(r, text));
}

/* The mount point is one that nobody else makes, or replaces. */
static int attach(int tree, int directory, const char *name)
{
	auto_close int point = open_beneath(directory, name, O_PATH | O_NOFOLLOW);

	if (point < 0)
		return point;
	return move_mount(tree, "", point, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

static int mount_own(int tree, int directory, const struct pod_slot *slot)
{
	if (!slot->file)
		return mkdirat(directory, slot->name, 0755) < 0 ? -errno : attach(tree, directory, slot->name);
	auto_close int fd = openat(directory, slot->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : attach(tree, directory, slot->name);
}

/* One at a time: who finds the same files there leaves them. -ESTALE: they are others. */
static int mount_volume(int tree, const struct stat *source, int volumes, const struct pod_slot *slot)
{
	struct stat there, parents;

	if (flock(volumes, LOCK_EX) < 0 || (mkdirat(volumes, slot->name, 0755) < 0 && errno != EEXIST))
		return -errno;
	auto_close int point = open_beneath(volumes, slot->name, O_PATH | O_DIRECTORY);
	if (point < 0)
		return point;
	if (fstat(point, &there) < 0 || fstat(volumes, &parents) < 0)
		return -errno;
	if (there.st_dev == source->st_dev && there.st_ino == source->st_ino)
		return 0;
	return there.st_dev == parents.st_dev ? attach(tree, volumes, slot->name) : -ESTALE;
}

static int mount_slot(int share, int own, const struct pod_slot *slot, struct failure *failure)
{
	char text[64];
	struct stat st;
	auto_close int tree = clone_source(slot, &st, failure);

	if (tree < 0)
		return tree;
	if (S_ISDIR(st.st_mode) == slot->file)
		return fail(failure, -EINVAL, "\"%s\" is %s by now", slot->source,
			    slot->file ? "a directory" : "no directory");
	/* the lock is that of this descriptor, and ends with it */
	auto_close int volumes = slot->volume ? open_beneath(share, VOLUMES, O_RDONLY | O_DIRECTORY) : -1;
	if (slot->volume && volumes < 0)
		return fail(failure, volumes, "the pod's volumes: %s", error_text(volumes, text));
	int r = slot->volume ? mount_volume(tree, &st, volumes, slot) : mount_own(tree, own, slot);
	if (r == -ESTALE)
		return fail(failure, r, "\"%s\" is not the directory that the pod's other containers have",
			    slot->source);
	return r < 0 ? fail(failure, r, "\"%s\" can not be mounted at \"%s\": %s", slot->source, slot->name,
			    error_text(r, text))
		     : 0;
}

static int mount_slots(int share, const struct pod_member *member, struct failure *failure)
{
	char text[64];
	int r = remove_tree(share, member->number, DEPTH_MAX);

	if (r == 0 && mkdirat(share, member->number, 0755) < 0)
		r = -errno;
	auto_close int own = r < 0 ? r : open_plain(share, member->number);
	if (own < 0)
		return fail(failure, own, "the slots of number %s: %s", member->number, error_text(own, text));
	for (size_t i = 0; i < member->count && r == 0; i++)
		r = mount_slot(share, own, &member->slots[i], failure);
	return r;
}

int podshare_join(int vms, int vm, struct failure *failure)
{
	static struct pod_member member;
	size_t size;
	char *text = read_member(vm, &size, failure);

	if (!text)
		return -EINVAL;
	int r = pod_member_parse(text, size, &member, failure);
	if (r < 0) {
		free(text);
		return r;
	}
	auto_close int share = open_share(vms, &member);
	r = share < 0 ? fail(failure, share, "its pod \"%s\" is not there", member.pod)
		      : mount_slots(share, &member, failure);
	if (r < 0 && share >= 0)
		remove_tree(share, member.number, DEPTH_MAX);
	free(text);
	return r;
}

/* Whether the number is that container's; one whose create got no further, or was an older version's, has not written that down. */
static bool is_owner(int plans, const char *number, const char *id)
{
	char name[POD_NUMBER_SIZE + sizeof ".of"], owner[NAME_MAX + 1];

	snprintf(name, sizeof name, "%s.of", number);
	ssize_t size = readlinkat(plans, name, owner, sizeof owner);
	return size < 0 || ((size_t)size == strlen(id) && memcmp(owner, id, (size_t)size) == 0);
}

static void forget_plan(int plans, const char *number)
{
	static const char *const kinds[] = {"json", "of"};
	char name[POD_NUMBER_SIZE + sizeof ".json"];

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		snprintf(name, sizeof name, "%s.%s", number, kinds[i]);
		unlinkat(plans, name, 0);
	}
}

int podshare_leave(int vms, int vm, const char *id)
{
	static struct pod_member member;
	struct failure nobody_asks;
	size_t size;
	char *text = read_member(vm, &size, &nobody_asks);

	if (!text)
		return 0;
	/* one whose pod is not told has mounted nothing */
	pod_member_parse(text, size, &member, &nobody_asks);
	auto_close int share = member.pod ? open_share(vms, &member) : -1;
	auto_close int plans = member.pod ? open_of_pod(vms, &member, PLANS) : -1;
	bool owner = member.pod && is_owner(plans, member.number, id);
	auto_close int socket = share >= 0 && owner ? open_of_pod(vms, &member, SOCKET) : -1;
	if (socket >= 0)
		podawait_end(socket, (uint32_t)strtoul(member.number, NULL, 10));
	int r = share < 0 || !owner ? 0 : remove_tree(share, member.number, DEPTH_MAX);
	if (plans >= 0 && owner)
		forget_plan(plans, member.number);
	free(text);
	return r;
}
