/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/stage.h"

#include "common/files.h"
#include "guest/early.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int stage_enter(void)
{
	if (fchdir(early.root) < 0 || (mkdir(STAGE_DIRECTORY, 0700) < 0 && errno != EEXIST))
		return -errno;
	auto_close int file = open(STAGE_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return file < 0 ? -errno : 0;
}

int stage_leave(void)
{
	return chdir("/") < 0 ? -errno : 0;
}

int stage_move(const char *from, int place)
{
	char to[64];

	/* of the initramfs's /proc */
	snprintf(to, sizeof to, "proc/self/fd/%d", place);
	return mount(from, to, NULL, MS_MOVE, NULL) < 0 ? -errno : 0;
}

void stage_clear(bool directory)
{
	umount2(stage_of(directory), UMOUNT_NOFOLLOW | MNT_DETACH);
}

int stage_path(int place, char *path, size_t size)
{
	char link[64];

	snprintf(link, sizeof link, "self/fd/%d", place);
	ssize_t n = readlinkat(early.proc, link, path, size - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return (size_t)n == size - 1 ? -ENAMETOOLONG : 0;
}
