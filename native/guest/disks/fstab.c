/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/fstab.h"

#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FSTAB "/etc/fstab"
#define SHOWN "fstab" /* in the initramfs */

enum {
	ADDED_SIZE = 128 * 1024, /* bytes */
	FILE_SIZE = 64 * 1024,   /* bytes: a larger one is not shown with disks */
};

static char added[ADDED_SIZE];
static size_t added_size;

void fstab_add(const char *device, const char *target, const char *type, const char *options)
{
	int n = fstab_line(added + added_size, sizeof added - added_size, device, target, type, options);

	if (n > 0)
		added_size += (size_t)n;
}

static int write_copy(int directory, const char *text, size_t size, mode_t mode)
{
	auto_close int fd = openat(directory, SHOWN, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (size > 0 && text[size - 1] != '\n' && dprintf(fd, "%s\n", text) < 0)
		return -errno;
	if (size > 0 && text[size - 1] == '\n' && dprintf(fd, "%s", text) < 0)
		return -errno;
	if (dprintf(fd, "%s", added) < 0 || fchmod(fd, mode & 0777) < 0)
		return -errno;
	return 0;
}

static int cover(void)
{
	static char text[FILE_SIZE];
	struct stat st;
	int r;

	if (lstat(FSTAB, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (st.st_size >= (off_t)sizeof text)
		return -EFBIG;
	ssize_t size = read_text(AT_FDCWD, FSTAB, text, sizeof text);
	if (size < 0)
		return (int)size;
	r = write_copy(early.root, text, strlen(text), st.st_mode);
	if (r < 0)
		return r;
	/* from the initramfs, which no path of the workload leads to */
	if (fchdir(early.root) < 0)
		return -errno;
	if (mount(SHOWN, FSTAB, NULL, MS_BIND, NULL) < 0)
		r = -errno;
	return chdir("/") < 0 && r == 0 ? -errno : r;
}

void fstab_show(void)
{
	char text[64];

	if (added_size == 0)
		return;
	int r = cover();
	if (r < 0)
		log_text(LOG_LEVEL_WARNING, FSTAB " is left without the disks: %s", error_text(r, text));
}
