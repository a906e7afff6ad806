/* SPDX-License-Identifier: Apache-2.0 */
/* What needs a directory: looking programs up, making directories, copying them. */
#include "guest/disks/copyup.h"
#include "common/files.h"
#include "guest/process/lookup.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char program[PATH_MAX];

static void write_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0 && write(fd, "content", 7) == 7 && fchmod(fd, mode) == 0);
	close(fd);
}

static bool found_at(const char *name, const char *path, const char *expected)
{
	return lookup_program(name, path, program) == 0 && strcmp(program, expected) == 0;
}

static void programs_are_found_as_go_finds_them(void)
{
	mkdir("bin", 0755);
	mkdir("bin/directory", 0755);
	mkdir("other", 0755);
	write_file("bin/tool", 0755);
	write_file("bin/plain", 0644);
	write_file("other/plain", 0755);
	write_file("here", 0755);
	CHECK(found_at("tool", "bin", "bin/tool"));
	CHECK(found_at("tool", "nowhere:bin:other", "bin/tool"));
	CHECK(found_at("plain", "bin:other", "other/plain"));
	CHECK(found_at("here", ":bin", "./here"));
	CHECK(found_at("here", "bin:", "./here"));
	CHECK(found_at("bin/tool", NULL, "bin/tool"));
}

static void what_can_not_run_is_told_apart(void)
{
	CHECK(lookup_program("nosuch", "bin:other", program) == -ESRCH);
	CHECK(lookup_program("tool", NULL, program) == -ESRCH);
	CHECK(lookup_program("tool", "", program) == -ESRCH);
	CHECK(lookup_program("", "bin", program) == -ESRCH);
	CHECK(lookup_program("directory", "bin", program) == -ESRCH);
	CHECK(lookup_program("./nosuch", "bin", program) == -ENOENT);
	CHECK(lookup_program("bin/plain", "bin", program) == -EACCES);
	CHECK(lookup_program("bin/directory", "bin", program) == -EACCES);
	CHECK(lookup_program("bin/tool/x", "bin", program) == -ENOTDIR);
}

static void a_path_that_is_too_long_is_passed_over(void)
{
	static char path[3 * PATH_MAX];

	memset(path, 'x', 2 * PATH_MAX);
	strcpy(path + 2 * PATH_MAX, ":bin");
	CHECK(found_at("tool", path, "bin/tool"));
	memset(path, '/', 2 * PATH_MAX);
	path[2 * PATH_MAX] = '\0';
	CHECK(lookup_program(path, NULL, program) == -ENAMETOOLONG);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void directories_are_made_with_their_parents(void)
{
	CHECK(make_dirs("a/b/c", 0755) == 0 && is_directory("a/b/c"));
	CHECK(make_dirs("a/b/c", 0755) == 0);
	CHECK(make_dirs("a//d/", 0755) == 0 && is_directory("a/d"));
	CHECK(make_dirs("bin/tool", 0755) == -ENOTDIR);
	CHECK(make_dirs("bin/tool/x", 0755) == -ENOTDIR);
}

static void the_target_of_a_dangling_link_is_made(void)
{
	CHECK(symlink("far/away", "a/link") == 0 && symlink("loop", "a/loop") == 0);
	CHECK(make_dirs("a/link/x", 0755) == 0 && is_directory("a/far/away/x"));
	CHECK(make_dirs("a/loop/x", 0755) < 0);
}

static void a_directory_is_copied_as_it_is(void)
{
	struct stat st;
	char target[64];
	int from;

	CHECK(make_dirs("from/sub/deep", 0755) == 0 && make_dirs("to", 0755) == 0);
	write_file("from/sub/file", 0640);
	CHECK(chmod("from/sub", 0711) == 0 && symlink("sub/file", "from/link") == 0 && mkfifo("from/pipe", 0600) == 0);
	const struct timespec times[2] = {{1000, 5}, {2000, 7}};
	CHECK(utimensat(AT_FDCWD, "from/sub", times, 0) == 0);
	from = open("from", O_RDONLY | O_DIRECTORY);
	CHECK(copy_up_directory(from, "to", NULL) == 0);
	close(from);
	CHECK(stat("to/sub", &st) == 0 && (st.st_mode & 07777) == 0711 && st.st_mtim.tv_sec == 2000 &&
	      st.st_mtim.tv_nsec == 7);
	CHECK(stat("to/sub/file", &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_size == 7);
	CHECK(readlink("to/link", target, sizeof target) == 8 && lstat("to/pipe", &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(is_directory("to/sub/deep"));
}

static void errors_read_as_go_prints_them(void)
{
	char text[64];

	CHECK(strcmp(error_text(-ENOENT, text), "no such file or directory") == 0);
	CHECK(strcmp(error_text(EACCES, text), "permission denied") == 0);
	CHECK(strcmp(error_text(ENOEXEC, text), "exec format error") == 0);
	CHECK(strcmp(error_text(ENOTDIR, text), "not a directory") == 0);
	CHECK(strcmp(error_text(99999, text), "unknown error") == 0);
}

int main(void)
{
	char directory[] = "/tmp/dkvm-files-XXXXXX", remove[64];

	if (!mkdtemp(directory) || chdir(directory) < 0)
		return 1;
	umask(0022);
	test("programs are found as Go finds them", programs_are_found_as_go_finds_them);
	test("what can not run is told apart", what_can_not_run_is_told_apart);
	test("a path that is too long is passed over", a_path_that_is_too_long_is_passed_over);
	test("directories are made with their parents", directories_are_made_with_their_parents);
	test("the target of a dangling link is made", the_target_of_a_dangling_link_is_made);
	test("a directory is copied as it is", a_directory_is_copied_as_it_is);
	test("errors read as Go prints them", errors_read_as_go_prints_them);
	snprintf(remove, sizeof remove, "rm -rf %s", directory);
	if (system(remove) != 0)
		printf("# %s is left\n", directory);
	return tests_end();
}
