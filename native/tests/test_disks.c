/* SPDX-License-Identifier: Apache-2.0 */
/* Backing files: made, told apart, locked, never led astray. */
#include "sandbox/backing/backing.h"
#include "guest/disks/copyup.h"
#include "common/files.h"
#include "sandbox/backing/magic.h"
#include "sandbox/backing/mkfs.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

static struct failure why;

/* A program on PATH in place of the real one. */
static void fake(const char *name, const char *script)
{
	char path[64];

	snprintf(path, sizeof path, "bin/%s", name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	CHECK(fd >= 0 && dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
	close(fd);
}

/* Superblocks with nothing but the numbers that are looked at. */
static void formats_work(void)
{
	fake("mke2fs", "echo \"$*\" >>mkfs.log\nfor disk; do :; done\n"
		       "printf '\\123\\357' | dd of=\"$disk\" bs=1 seek=1080 conv=notrunc 2>/dev/null\n"
		       "printf '\\100' | dd of=\"$disk\" bs=1 seek=1120 conv=notrunc 2>/dev/null");
	fake("mkfs.xfs", "for disk; do :; done\nprintf XFSB | dd of=\"$disk\" conv=notrunc 2>/dev/null");
}

static int prepare(const char *path, const char *filesystem, int64_t bytes)
{
	return backing_prepare("root", path, filesystem, bytes, &why);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (int64_t)st.st_size;
}

static bool says(const char *text)
{
	bool found = strstr(why.text, text) != NULL;

	if (!found)
		printf("# said: %s\n", why.text);
	return found;
}

static void a_new_file_is_made_and_formatted(void)
{
	formats_work();
	CHECK(prepare("/new", "ext4", 8 * MIB) == 0 && says(""));
	CHECK(size_of("root/new") == 8 * MIB && size_of("root/new.dkvm-new") == -1);
	CHECK(prepare("/volume/xfs", "xfs", 8 * MIB) == 0 && size_of("root/volume/xfs") == 8 * MIB);
}

static void a_file_that_is_there_is_not_formatted_again(void)
{
	int64_t before = size_of("mkfs.log");

	CHECK(before > 0 && prepare("/new", "ext4", 8 * MIB) == 0 && size_of("mkfs.log") == before);
	CHECK(prepare("/new", "xfs", 8 * MIB) == -EEXIST && says("has the filesystem ext4 and not xfs"));
}

static void a_file_without_a_filesystem_is_left_alone(void)
{
	int fd = open("root/text", O_WRONLY | O_CREAT, 0644);

	CHECK(write(fd, "precious", 8) == 8);
	close(fd);
	CHECK(prepare("/text", "ext4", 8 * MIB) == -EEXIST && says("has no filesystem") && size_of("root/text") == 8);
}

static void an_empty_file_is_as_good_as_none(void)
{
	int fd = open("root/empty", O_WRONLY | O_CREAT, 0640);
	int sparse = open("root/sparse", O_WRONLY | O_CREAT, 0640);
	struct stat st;

	CHECK(fd >= 0 && sparse >= 0 && ftruncate(sparse, 16 * MIB) == 0);
	close(fd);
	close(sparse);
	CHECK(prepare("/empty", "ext4", 8 * MIB) == 0 && stat("root/empty", &st) == 0 && (st.st_mode & 0777) == 0640);
	CHECK(prepare("/sparse", "ext4", 8 * MIB) == 0 && size_of("root/sparse") == 16 * MIB);
	fd = open("root/sparse", O_RDONLY);
	CHECK(magic_of(fd) && strcmp(magic_of(fd), "ext4") == 0);
	close(fd);
}

static void a_file_grows_and_never_shrinks(void)
{
	CHECK(prepare("/new", "ext4", 12 * MIB) == 0 && says("") && size_of("root/new") == 12 * MIB);
	CHECK(prepare("/new", "ext4", 8 * MIB) == 0 && says("more than the 8388608 asked for") &&
	      size_of("root/new") == 12 * MIB);
}

static void a_file_in_use_is_refused(void)
{
	int other, fd;

	CHECK(backing_open("root", "/new", &other, &why) == 0);
	CHECK(backing_open("root", "/new", &fd, &why) == -EBUSY && says("in use by another VM"));
	CHECK(prepare("/new", "ext4", 16 * MIB) == -EBUSY && size_of("root/new") == 12 * MIB);
	close(other);
	CHECK(backing_open("root", "/new", &fd, &why) == 0);
	close(fd);
	CHECK(backing_open("root", "/nowhere", &fd, &why) == -ENOENT && says("is gone"));
}

static void what_is_no_file_is_refused(void)
{
	CHECK(mkfifo("root/pipe", 0600) == 0);
	CHECK(prepare("/volume", "ext4", 8 * MIB) == -EISDIR && says("is a directory"));
	CHECK(prepare("/pipe", "ext4", 8 * MIB) == -EINVAL && says("not a regular file"));
	CHECK(prepare("/missing/new", "ext4", 8 * MIB) == -ENOENT && says("directory \"/missing\""));
	CHECK(prepare("/volume/..", "ext4", 8 * MIB) == -EINVAL);
	CHECK(prepare("relative", "ext4", 8 * MIB) == -EINVAL);
}

static void links_do_not_lead_out_of_the_root(void)
{
	CHECK(symlink("/etc", "root/absolute") == 0 && symlink("../outside", "root/relative") == 0);
	CHECK(symlink("../../mkfs.log", "root/file") == 0 && mkdir("outside", 0755) == 0);
	CHECK(mkdir("root/etc", 0755) == 0 && mkdir("root/outside", 0755) == 0);
	CHECK(prepare("/absolute/disk", "ext4", 8 * MIB) == 0 && size_of("root/etc/disk") == 8 * MIB);
	CHECK(prepare("/relative/disk", "ext4", 8 * MIB) == 0 && size_of("root/outside/disk") == 8 * MIB);
	CHECK(size_of("outside/disk") == -1);
	CHECK(prepare("/file", "ext4", 8 * MIB) == -ELOOP && says("is a symbolic link"));
	CHECK(symlink("/proc/self/root", "root/magic") == 0 && prepare("/magic/disk", "ext4", 8 * MIB) == -ENOENT);
}

static void a_format_that_fails_leaves_nothing(void)
{
	fake("mke2fs", "echo 'no room for it'; exit 1");
	CHECK(prepare("/failed", "ext4", 8 * MIB) == -EIO && says("can not be formatted with ext4: no room for it"));
	CHECK(size_of("root/failed") == -1 && size_of("root/failed.dkvm-new") == -1);
	CHECK(prepare("/failed", "ext9", 8 * MIB) < 0 && size_of("root/failed") == -1);
	formats_work();
}

static void what_a_killed_one_left_is_taken_away(void)
{
	int fd = open("root/late.dkvm-new", O_RDWR | O_CREAT, 0600);

	CHECK(fd >= 0 && write(fd, "half", 4) == 4 && flock(fd, LOCK_EX) == 0);
	CHECK(prepare("/late", "ext4", 8 * MIB) == -EBUSY && says("just being made"));
	close(fd);
	CHECK(prepare("/late", "ext4", 8 * MIB) == 0 && size_of("root/late") == 8 * MIB);
	CHECK(size_of("root/late.dkvm-new") == -1);
}

static const char *magic_with(off_t at, const char *bytes, size_t size)
{
	int fd = open("magic", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(ftruncate(fd, 100000) == 0 && pwrite(fd, "\x53\xEF", 2, 1080) == 2);
	CHECK(pwrite(fd, bytes, size, at) == (ssize_t)size);
	const char *found = magic_of(fd);
	close(fd);
	return found ? found : "";
}

static void filesystems_are_told_apart(void)
{
	CHECK(strcmp(magic_with(0, "XFSB", 4), "xfs") == 0);
	CHECK(strcmp(magic_with(65600, "_BHRfS_M", 8), "btrfs") == 0);
	CHECK(strcmp(magic_with(0, "", 0), "ext2") == 0);
	CHECK(strcmp(magic_with(1116, "\x04", 1), "ext3") == 0);
	CHECK(strcmp(magic_with(1120, "\x42", 1), "ext4") == 0);
	CHECK(strcmp(magic_with(1124, "\x08", 1), "ext4") == 0);
	CHECK(strcmp(magic_with(1080, "xx", 2), "") == 0);
	int fd = open("/dev/null", O_RDONLY);
	CHECK(magic_of(fd) == NULL);
	close(fd);
}

static void every_filesystem_has_its_command(void)
{
	CHECK(strcmp(mkfs_command("ext3")[4], "ext3") == 0 && strcmp(mkfs_command("xfs")[0], "mkfs.xfs") == 0);
	CHECK(strcmp(mkfs_command("btrfs")[0], "mkfs.btrfs") == 0 && mkfs_command("vfat") == NULL);
}

static int files_seen;

static void count(void)
{
	files_seen++;
}

static void a_copy_that_was_cut_short_is_made_again(void)
{
	struct stat st;

	CHECK(make_dirs("from/sub", 0755) == 0 && make_dirs("to/sub", 0700) == 0);
	int file = open("from/sub/file", O_WRONLY | O_CREAT, 0640);
	int half = open("to/sub/file", O_WRONLY | O_CREAT, 0600);
	CHECK(write(file, "content", 7) == 7 && write(half, "con", 3) == 3);
	CHECK(symlink("file", "from/sub/link") == 0 && symlink("fi", "to/sub/link") == 0 && chmod("from", 0711) == 0);
	close(file);
	close(half);
	int from = open("from", O_RDONLY | O_DIRECTORY);
	CHECK(copy_up_directory(from, "to", count) == 0 && copy_up_own(from, "to") == 0 && files_seen == 3);
	close(from);
	CHECK(stat("to/sub/link", &st) == 0 && st.st_size == 7 && (st.st_mode & 0777) == 0640);
	CHECK(stat("to/sub", &st) == 0 && (st.st_mode & 0777) == 0755);
	CHECK(stat("to", &st) == 0 && (st.st_mode & 0777) == 0711);
}

int main(void)
{
	char directory[] = "/tmp/dkvm-disks-XXXXXX", text[1024];
	const char *path = getenv("PATH");

	if (!mkdtemp(directory) || chdir(directory) < 0)
		return 1;
	umask(0022);
	snprintf(text, sizeof text, "%s/bin:%s", directory, path ? path : "/usr/bin:/bin");
	setenv("PATH", text, 1);
	CHECK(make_dirs("bin", 0755) == 0 && make_dirs("root/volume", 0755) == 0);
	test("a new file is made and formatted", a_new_file_is_made_and_formatted);
	test("a file that is there is not formatted again", a_file_that_is_there_is_not_formatted_again);
	test("a file without a filesystem is left alone", a_file_without_a_filesystem_is_left_alone);
	test("an empty file is as good as none", an_empty_file_is_as_good_as_none);
	test("a file grows and never shrinks", a_file_grows_and_never_shrinks);
	test("a file in use is refused", a_file_in_use_is_refused);
	test("what is no file is refused", what_is_no_file_is_refused);
	test("links do not lead out of the root", links_do_not_lead_out_of_the_root);
	test("a format that fails leaves nothing", a_format_that_fails_leaves_nothing);
	test("what a killed one left is taken away", what_a_killed_one_left_is_taken_away);
	test("filesystems are told apart", filesystems_are_told_apart);
	test("every filesystem has its command", every_filesystem_has_its_command);
	test("a copy that was cut short is made again", a_copy_that_was_cut_short_is_made_again);
	snprintf(text, sizeof text, "rm -rf %s", directory);
	if (chdir("/") < 0 || system(text) != 0)
		printf("# %s is left\n", directory);
	return tests_end();
}
