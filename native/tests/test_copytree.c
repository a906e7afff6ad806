/* SPDX-License-Identifier: Apache-2.0 */
/* A package is copied as it is. */
#include "host/files/copytree.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct failure why;
static int64_t last_copied, last_all, calls;

static void note(int64_t copied, int64_t all)
{
	last_copied = copied;
	last_all = all;
	calls++;
}

static void make(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
	close(fd);
}

static struct stat look(const char *path)
{
	struct stat st = {0};

	CHECK(lstat(path, &st) == 0);
	return st;
}

static int copy(const char *source, const char *target)
{
	struct tree_size size;
	int result = tree_measure(source, &size, &why);

	return result < 0 ? result : tree_copy(source, target, &size, note, &why);
}

static void everything_stays_as_it_is(void)
{
	const struct timespec old[2] = {{1000000000, 5}, {1000000001, 7}};
	char text[16] = "";

	CHECK(mkdir("from", 0755) == 0 && mkdir("from/dir", 0500) == 0);
	make("from/file", "content", 0640);
	CHECK(link("from/file", "from/other name") == 0);
	CHECK(symlink("../nowhere", "from/link") == 0);
	CHECK(lsetxattr("from/file", "user.mark", "kept", 4, 0) == 0 || errno == ENOTSUP);
	CHECK(utimensat(AT_FDCWD, "from/file", old, 0) == 0 && utimensat(AT_FDCWD, "from", old, 0) == 0);
	CHECK(copy("from", "to") == 0);
	CHECK(look("to/file").st_ino == look("to/other name").st_ino && look("to/file").st_nlink == 2);
	CHECK((look("to/file").st_mode & 07777) == 0640 && (look("to/dir").st_mode & 07777) == 0500);
	CHECK(look("to/file").st_mtim.tv_sec == 1000000001 && look("to/file").st_mtim.tv_nsec == 7);
	CHECK(look("to").st_mtim.tv_sec == 1000000001);
	CHECK(readlink("to/link", text, sizeof text) == 10 && memcmp(text, "../nowhere", 10) == 0);
	if (lgetxattr("from/file", "user.mark", text, sizeof text) == 4)
		CHECK(lgetxattr("to/file", "user.mark", text, sizeof text) == 4 && memcmp(text, "kept", 4) == 0);
	int fd = open("to/other name", O_RDONLY);
	CHECK(read(fd, text, sizeof text) == 7 && memcmp(text, "content", 7) == 0);
	close(fd);
}

static void progress_ends_with_all_of_it(void)
{
	calls = 0;
	CHECK(copy("from", "again") == 0);
	CHECK(calls == 5 && last_all > 0 && last_copied == last_all);
}

static void a_file_with_two_names_takes_room_once(void)
{
	struct tree_size size;

	CHECK(tree_measure("from", &size, &why) == 0);
	/* the two directories, the file, the symbolic link */
	CHECK(size.bytes == 4 * 4096 && size.files == 5);
}

static void what_belongs_in_no_package_is_refused(void)
{
	CHECK(mkdir("odd", 0755) == 0 && mkfifo("odd/pipe", 0600) == 0);
	CHECK(copy("odd", "odd copy") == -EOPNOTSUPP);
	CHECK(strstr(why.text, "odd/pipe") != NULL);
}

static void nothing_is_written_over(void)
{
	CHECK(copy("from", "to") == -EEXIST);
	CHECK(copy("missing", "else") == -ENOENT && strstr(why.text, "missing") != NULL);
}

int main(void)
{
	char directory[] = "/tmp/dkvm-copytree-XXXXXX";
	char command[64];

	if (mkdtemp(directory) == NULL || chdir(directory) < 0)
		return 1;
	test("everything stays as it is", everything_stays_as_it_is);
	test("progress ends with all of it", progress_ends_with_all_of_it);
	test("a file with two names takes room once", a_file_with_two_names_takes_room_once);
	test("what belongs in no package is refused", what_belongs_in_no_package_is_refused);
	test("nothing is written over", nothing_is_written_over);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	return tests_end() | (system(command) != 0);
}
