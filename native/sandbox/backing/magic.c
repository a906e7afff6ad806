/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/backing/magic.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The kernel's Documentation/filesystems/ext4/super.rst; the superblock is at 1024, its numbers are little-endian. */
enum {
	EXT_SUPERBLOCK = 1024,
	EXT_MAGIC = EXT_SUPERBLOCK + 0x38,
	EXT_COMPATIBLE = EXT_SUPERBLOCK + 0x5C,
	EXT_INCOMPATIBLE = EXT_SUPERBLOCK + 0x60,
	EXT_READ_ONLY_COMPATIBLE = EXT_SUPERBLOCK + 0x64,
	HAS_JOURNAL = 0x4,
	/* filetype, recover, meta_bg: all that ext3 knows */
	EXT3_INCOMPATIBLE = 0x2 | 0x4 | 0x10,
	/* sparse_super, large_file, btree_dir */
	EXT3_READ_ONLY_COMPATIBLE = 0x1 | 0x2 | 0x4,
	BTRFS_MAGIC = 65536 + 64,
};

static bool has(int fd, off_t at, const char *text)
{
	char found[8];
	size_t size = strlen(text);

	return pread(fd, found, size, at) == (ssize_t)size && memcmp(found, text, size) == 0;
}

static uint32_t number(int fd, off_t at)
{
	uint8_t b[4];

	if (pread(fd, b, sizeof b, at) != (ssize_t)sizeof b)
		return 0;
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

const char *magic_of(int fd)
{
	if (has(fd, 0, "XFSB"))
		return "xfs";
	if (has(fd, BTRFS_MAGIC, "_BHRfS_M"))
		return "btrfs";
	if (!has(fd, EXT_MAGIC, "\x53\xEF"))
		return NULL;
	if ((number(fd, EXT_INCOMPATIBLE) & ~(uint32_t)EXT3_INCOMPATIBLE) != 0 ||
	    (number(fd, EXT_READ_ONLY_COMPATIBLE) & ~(uint32_t)EXT3_READ_ONLY_COMPATIBLE) != 0)
		return "ext4";
	return number(fd, EXT_COMPATIBLE) & HAS_JOURNAL ? "ext3" : "ext2";
}
