/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/locks/lockedfile.h"

#include "common/files.h"
#include "sandbox/share/slots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 10000 }; /* of a directory that are looked at for a file that has another name now */

/* The file at a descriptor, unless it is another. */
static int check(int fd, uint64_t inode, mode_t *mode)
{
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino != inode) {
		close(fd);
		return -ESTALE;
	}
	*mode = st.st_mode;
	return fd;
}

/* As O_PATH, which opens nothing. The kernel's path has no links: one that is there now is not the file. */
static int find(int directory, const char *path, uint64_t inode, mode_t *mode)
{
	return check(open_beneath(directory, path, O_PATH | O_NOFOLLOW), inode, mode);
}

/* Somebody gave it another name meanwhile, as editors do. */
static int find_beside(int slot, const char *path, uint64_t inode, mode_t *mode)
{
	char parent[PATH_MAX];
	const char *last = strrchr(path, '/');
	int found = -ESTALE;

	snprintf(parent, sizeof parent, "%.*s", last ? (int)(last - path) : 0, path);
	int fd = open_beneath(slot, parent, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory) {
		if (fd >= 0)
			close(fd);
		return -ESTALE;
	}
	const struct dirent *entry;
	for (int i = 0; found < 0 && i < ENTRIES_MAX && (entry = readdir(directory)); i++)
		if (entry->d_ino == inode && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			found = find(fd, entry->d_name, inode, mode);
	closedir(directory);
	return found;
}

/* Exactly the file that was found, by the descriptor of it. */
static int reopen(int found, int flags)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", found);
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_lost(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EXDEV || error == -ESTALE;
}

static int find_in_share(int share, const char *path, uint64_t inode, mode_t *mode)
{
	const char *rest;
	int fd = slots_open_slot(share, path, &rest), found;

	if (fd < 0)
		return is_lost(fd) ? -ESTALE : fd;
	if (!rest[0])
		return check(fd, inode, mode);
	auto_close int slot = fd;
	found = find(slot, rest, inode, mode);
	return found < 0 && is_lost(found) ? find_beside(slot, rest, inode, mode) : found;
}

int locked_file_open(int share, const char *path, uint64_t inode, enum lock_kind kind, bool writable)
{
	mode_t mode = 0;
	auto_close int found = find_in_share(share, path, inode, &mode);

	if (found < 0)
		return found;
	if (!S_ISREG(mode) && !(S_ISDIR(mode) && kind == LOCK_FLOCK))
		return -EOPNOTSUPP;
	int fd = writable && S_ISREG(mode) ? reopen(found, O_RDWR) : -EACCES;
	if (fd == -EACCES || fd == -EPERM || fd == -EROFS || fd == -ETXTBSY)
		fd = reopen(found, O_RDONLY);
	return fd;
}

static struct flock flock_of(const struct range *range)
{
	struct flock lock = {.l_whence = SEEK_SET, .l_start = (off_t)range->start};

	lock.l_type = range->type == LOCK_TYPE_WRITE ? F_WRLCK : range->type == LOCK_TYPE_READ ? F_RDLCK : F_UNLCK;
	lock.l_len = range->end >= INT64_MAX ? 0 : (off_t)(range->end - range->start + 1);
	return lock;
}

int locked_file_set(int fd, const struct range *range, bool wait)
{
	int r;

	if (range->kind == LOCK_FLOCK) {
		int operation = range->type == LOCK_TYPE_WRITE  ? LOCK_EX
				: range->type == LOCK_TYPE_READ ? LOCK_SH
								: LOCK_UN;
		r = flock(fd, operation | (wait ? 0 : LOCK_NB));
	} else {
		struct flock lock = flock_of(range);
		r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
	}
	if (r == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int locked_file_test(int fd, struct range *range)
{
	struct flock lock = flock_of(range);

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	range->type = lock.l_type == F_WRLCK   ? LOCK_TYPE_WRITE
		      : lock.l_type == F_RDLCK ? LOCK_TYPE_READ
					       : LOCK_TYPE_NONE;
	range->start = (uint64_t)lock.l_start;
	range->end = lock.l_len == 0 ? INT64_MAX : (uint64_t)(lock.l_start + lock.l_len - 1);
	return 0;
}
