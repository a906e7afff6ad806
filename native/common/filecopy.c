/* SPDX-License-Identifier: Apache-2.0 */
#include "common/filecopy.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	PIECE = 1 << 20,    /* bytes */
	NAMES_SIZE = 4096,  /* bytes: all names of a file's attributes */
	VALUE_SIZE = 65536, /* bytes: XATTR_SIZE_MAX of the kernel */
};

/* Where the filesystem shares blocks it takes no time and no room. */
static int copy_content(int in, int out)
{
	ssize_t n;

	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	while ((n = copy_file_range(in, NULL, out, NULL, SSIZE_MAX & ~(ssize_t)(PIECE - 1), 0)) > 0)
		;
	if (n == 0)
		return 0;
	if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	while ((n = sendfile(out, in, NULL, PIECE)) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int copy_all_attributes(int in, int out, const char *names, ssize_t size)
{
	static char value[VALUE_SIZE];

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		if (strcmp(names + at, "security.selinux") == 0)
			continue;
		ssize_t n = fgetxattr(in, names + at, value, sizeof value);
		if (n < 0 || fsetxattr(out, names + at, value, (size_t)n, 0) < 0)
			return -errno;
	}
	return size < 0 && errno != ENOTSUP ? -errno : 0;
}

static int copy_possible_attributes(int in, int out, const char *names, ssize_t size)
{
	static char value[VALUE_SIZE];

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n = fgetxattr(in, names + at, value, sizeof value);
		if (n >= 0 && fsetxattr(out, names + at, value, (size_t)n, 0) < 0 && errno != ENOTSUP && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int copy_attributes(int in, int out, enum attributes attributes)
{
	static char names[NAMES_SIZE];
	ssize_t size = flistxattr(in, names, sizeof names);

	return attributes == ATTRIBUTES_ALL ? copy_all_attributes(in, out, names, size)
					    : copy_possible_attributes(in, out, names, size);
}

/* The owner first: with it the kernel takes capabilities and set-id bits away; times last. */
int copy_facts(int in, int out, const struct stat *st, enum attributes attributes)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
		return -errno;
	int r = copy_attributes(in, out, attributes);
	return r == 0 && futimens(out, times) < 0 ? -errno : r;
}

int copy_facts_at(int to, const char *target, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchownat(to, target, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(st->st_mode) && fchmodat(to, target, st->st_mode & 07777, 0) < 0) ||
	    utimensat(to, target, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

int copy_file(int from, const char *source, int to, const char *target, const struct stat *st,
	      enum attributes attributes)
{
	auto_close int in = openat(from, source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int out = in < 0 ? -1 : openat(to, target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (in < 0 || out < 0)
		return -errno;
	int r = copy_content(in, out);
	if (r == 0)
		r = copy_facts(in, out, st, attributes);
	/* a filesystem of the network may say only now that it has no room */
	int written = out;
	out = -1;
	return close(written) < 0 && r == 0 ? -errno : r;
}

int copy_link(int from, const char *source, int to, const char *target, const struct stat *st)
{
	char leads_to[PATH_MAX];
	ssize_t n = readlinkat(from, source, leads_to, sizeof leads_to - 1);

	if (n < 0)
		return -errno;
	leads_to[n] = '\0';
	return symlinkat(leads_to, to, target) < 0 ? -errno : copy_facts_at(to, target, st);
}
