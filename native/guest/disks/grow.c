/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/grow.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

/* The kernel's fs/ext4/ext4.h: in no header for programs. */
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

/* The kernel's fs/xfs/libxfs/xfs_fs.h, which comes with xfsprogs and not with the kernel's headers. */
struct xfs_geometry {
	uint32_t block_size, realtime_extent, group_blocks, groups, log_blocks, sector_size, inode_size, inodes_percent;
	uint64_t data_blocks, realtime_blocks, realtime_extents, log_start;
	uint8_t uuid[16];
	uint32_t stripe_unit, stripe_width;
	int32_t version;
	uint32_t flags, log_sector_size, realtime_sector_size, directory_block_size;
};

struct xfs_growth {
	uint64_t blocks;
	uint32_t inodes_percent;
};

#define XFS_IOC_FSGEOMETRY_V1 _IOR('X', 100, struct xfs_geometry)
#define XFS_IOC_FSGROWFSDATA _IOW('X', 110, struct xfs_growth)

static int device_size(const char *device, uint64_t *bytes)
{
	auto_close int fd = open(device, O_RDONLY | O_CLOEXEC);

	return fd < 0 || ioctl(fd, BLKGETSIZE64, bytes) < 0 ? -errno : 0;
}

static int grow_ext(int fd, uint64_t bytes)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	uint64_t blocks = bytes / (uint64_t)fs.f_bsize;
	return ioctl(fd, EXT4_IOC_RESIZE_FS, &blocks) < 0 ? -errno : 0;
}

static int grow_xfs(int fd, uint64_t bytes)
{
	struct xfs_geometry geometry;

	if (ioctl(fd, XFS_IOC_FSGEOMETRY_V1, &geometry) < 0)
		return -errno;
	const struct xfs_growth growth = {
		.blocks = bytes / geometry.block_size,
		.inodes_percent = geometry.inodes_percent,
	};
	if (growth.blocks <= geometry.data_blocks)
		return 0;
	return ioctl(fd, XFS_IOC_FSGROWFSDATA, &growth) < 0 ? -errno : 0;
}

static int grow_btrfs(int fd)
{
	struct btrfs_ioctl_vol_args arguments = {.name = "max"};

	return ioctl(fd, BTRFS_IOC_RESIZE, &arguments) < 0 ? -errno : 0;
}

int grow_filesystem(const char *type, const char *device, const char *target)
{
	uint64_t bytes;
	auto_close int fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : device_size(device, &bytes);

	if (r < 0)
		return r;
	if (strncmp(type, "ext", 3) == 0)
		return grow_ext(fd, bytes);
	if (strcmp(type, "xfs") == 0)
		return grow_xfs(fd, bytes);
	if (strcmp(type, "btrfs") == 0)
		return grow_btrfs(fd);
	return -ENOTSUP;
}
