/* SPDX-License-Identifier: Apache-2.0 */
#include "common/files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINKS_MAX = 10 };

void close_cleanup(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void close_clear(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int write_text(int dirfd, const char *path, const char *text)
{
	auto_close int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	size_t size = strlen(text);

	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, size);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

ssize_t read_text(int dirfd, const char *path, char *buffer, size_t size)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t have = 0;

	if (fd < 0)
		return -errno;
	while (have < size - 1) {
		ssize_t n = read(fd, buffer + have, size - 1 - have);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	buffer[have] = '\0';
	return (ssize_t)have;
}

/* mkdir(2) of the whole path; a link that leads nowhere is read into next, which is then to be made first. */
static int make_one(const char *path, mode_t mode, char next[static PATH_MAX])
{
	struct stat st;

	next[0] = '\0';
	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		/* a read-only root says so even for what exists */
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : -errno;
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	ssize_t n = readlink(path, next, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	next[n] = '\0';
	return 0;
}

static int join_link(const char *path, const char *link, char out[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int parent = link[0] == '/' || !slash ? 0 : (int)(slash - path) + 1;
	int n = snprintf(out, PATH_MAX, "%.*s%s", parent, path, link);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int make_dirs_followed(const char *path, mode_t mode, int links)
{
	char part[PATH_MAX], link[PATH_MAX], target[PATH_MAX];
	size_t size = strlen(path);

	if (size >= sizeof part)
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= size; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		int r = make_one(part, mode, link);
		if (r == 0 && link[0]) {
			r = links < LINKS_MAX ? join_link(part, link, target) : -ELOOP;
			if (r == 0)
				r = make_dirs_followed(target, mode, links + 1);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int make_dirs(const char *path, mode_t mode)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	return make_dirs_followed(path, mode, 0);
}

const char *error_text(int error, char buffer[static 64])
{
	const char *text = strerrordesc_np(error < 0 ? -error : error);

	snprintf(buffer, 64, "%s", text ? text : "unknown error");
	buffer[0] = (char)tolower((unsigned char)buffer[0]);
	return buffer;
}

int open_beneath(int dirfd, const char *path, unsigned int flags)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, path[0] ? path : ".", &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}
