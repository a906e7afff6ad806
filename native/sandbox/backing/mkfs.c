/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/backing/mkfs.h"

#include "common/disk_label.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISK_FD = 3 };

#define DISK "/proc/self/fd/3"

/*
 * The file is new, so it reads as zeros: neither is anything discarded nor are tables and journals written out (mke2fs). A disk
 * holds data, not the system that has to go on when it is full: no blocks are reserved for root.
 */
#define EXT(type)                                                                                                      \
	{                                                                                                              \
		"mke2fs", "-q", "-F", "-t", type, "-m", "0", "-L", DISK_LABEL_NEW, "-E",                               \
			"nodiscard,assume_storage_prezeroed=1", DISK, NULL                                             \
	}

static const char *const ext2[] = EXT("ext2");
static const char *const ext3[] = EXT("ext3");
static const char *const ext4[] = EXT("ext4");
static const char *const xfs[] = {"mkfs.xfs", "-q", "-K", "-L", DISK_LABEL_NEW, DISK, NULL};
static const char *const btrfs[] = {"mkfs.btrfs", "-q", "-K", "-L", DISK_LABEL_NEW, DISK, NULL};

const char *const *mkfs_command(const char *filesystem)
{
	static const struct {
		const char *filesystem;
		const char *const *command;
	} known[] = {{"ext2", ext2}, {"ext3", ext3}, {"ext4", ext4}, {"xfs", xfs}, {"btrfs", btrfs}};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].filesystem, filesystem) == 0)
			return known[i].command;
	return NULL;
}

/* The child's side: never returns. */
static void become(const char *const *command, int fd, int output)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		_exit(127);
	/* dup2(2) of a descriptor onto itself would leave it closed on exec */
	if (fd == DISK_FD ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, DISK_FD) < 0)
		_exit(127);
	execvp(command[0], (char *const *)command);
	dprintf(2, "%s: %s", command[0], strerror(errno));
	_exit(127);
}

static void read_back(int output, char *said, size_t size)
{
	ssize_t n = pread(output, said, size - 1, 0);

	said[n < 0 ? 0 : n] = '\0';
	said[strcspn(said, "\n")] = '\0';
}

int mkfs_run(int fd, const char *filesystem, char *said, size_t size)
{
	const char *const *command = mkfs_command(filesystem);
	int status;

	said[0] = '\0';
	if (!command)
		return -EINVAL;
	/* a file and not a pipe: nobody has to read while it runs */
	auto_close int output = memfd_create("output", MFD_CLOEXEC);
	if (output < 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(command, fd, output);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	read_back(output, said, size);
	return -EIO;
}
