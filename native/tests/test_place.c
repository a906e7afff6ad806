/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of an image, looked up and made below its root. */
#include "common/place.h"
#include "common/files.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below the test's directory: "root" is the image's, "outside" is what no path may lead to. */
static int root;

static bool is_same(int fd, const char *path)
{
	struct stat open, named;

	return fd >= 0 && fstat(fd, &open) == 0 && lstat(path, &named) == 0 && open.st_dev == named.st_dev &&
	       open.st_ino == named.st_ino;
}

static bool found_at(const char *path, const char *expected)
{
	auto_close int fd = place_find(root, path);

	return is_same(fd, expected);
}

static bool made_at(const char *path, bool directory, const char *expected)
{
	auto_close int fd = place_make(root, path, directory);

	return is_same(fd, expected);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode : 0;
}

static bool is_empty_outside(void)
{
	return access("outside/x", F_OK) < 0 && access("outside/created", F_OK) < 0 && rmdir("outside") == 0 &&
	       mkdir("outside", 0755) == 0;
}

static void links_stay_in_the_root(void)
{
	CHECK(symlink("/etc", "root/absolute") == 0 && symlink("../../../etc", "root/up") == 0);
	CHECK(symlink("/proc/self/root", "root/magic") == 0 && symlink("loop", "root/loop") == 0);
	CHECK(found_at("/absolute", "root/etc") && found_at("up", "root/etc"));
	CHECK(found_at("/../../etc", "root/etc") && found_at("/", "root") && found_at("", "root"));
	CHECK(place_find(root, "/magic") == -ENOENT && place_find(root, "/loop") == -ELOOP);
	CHECK(place_find(root, "/nothing") == -ENOENT && place_find_directory(root, "/file") == -ENOTDIR);
}

static void what_is_missing_is_made_as_runc_makes_it(void)
{
	CHECK(made_at("/a/b/c", true, "root/a/b/c") && mode_of("root/a/b/c") == (S_IFDIR | 0755));
	CHECK(made_at("//a//b/./d/", true, "root/a/b/d"));
	CHECK(made_at("/a/b/c", true, "root/a/b/c"));
	CHECK(made_at("/f/g", false, "root/f/g") && mode_of("root/f/g") == (S_IFREG | 0755));
	CHECK(made_at("/f/g", false, "root/f/g"));
	CHECK(made_at("/", true, "root"));
}

static void a_link_that_leads_nowhere_is_made_where_it_leads(void)
{
	CHECK(symlink("/var/far/away", "root/dangling") == 0 && symlink("near/by", "root/a/relative") == 0);
	CHECK(symlink("dangling/again", "root/chain") == 0 && symlink("/here", "root/file-link") == 0);
	CHECK(made_at("/dangling/x", true, "root/var/far/away/x"));
	CHECK(made_at("/a/relative/y", true, "root/a/near/by/y"));
	CHECK(made_at("/chain", true, "root/var/far/away/again"));
	CHECK(made_at("/file-link", false, "root/here"));
	CHECK(place_make(root, "/loop/x", true) == -ELOOP && place_make(root, "/loop", false) == -ELOOP);
}

static void nothing_is_made_outside(void)
{
	char path[PATH_MAX], link[PATH_MAX];

	CHECK(getcwd(path, sizeof path) != NULL);
	snprintf(link, sizeof link, "%.4000s/outside", path);
	CHECK(symlink(link, "root/out") == 0 && symlink("../outside/created", "root/out-relative") == 0);
	auto_close int absolute = place_make(root, "/out/x", true);
	auto_close int relative = place_make(root, "/out-relative", true);
	CHECK(absolute >= 0 && relative >= 0 && is_empty_outside());
	CHECK(is_same(relative, "root/outside/created"));
}

static void another_kind_is_refused(void)
{
	CHECK(place_make(root, "/file", true) == -ENOTDIR && place_make(root, "/file/x", true) == -ENOTDIR);
	CHECK(place_make(root, "/etc", false) == -EISDIR);
}

static void a_name_that_is_too_long_is_refused(void)
{
	static char path[PATH_MAX + 16];

	memset(path, 'x', sizeof path - 1);
	CHECK(place_make(root, path, true) == -ENAMETOOLONG);
	path[NAME_MAX + 2] = '\0';
	CHECK(place_make(root, path, true) == -ENAMETOOLONG);
}

static void the_own_root_is_one_like_another(void)
{
	auto_close int own = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int fd = place_find(own, "/proc");

	CHECK(is_same(fd, "/proc"));
}

static bool reads(const char *path, const char *expected)
{
	char text[16] = "";
	auto_close int fd = place_read(root, path);

	return fd >= 0 && read(fd, text, sizeof text - 1) >= 0 && strcmp(text, expected) == 0;
}

static void only_files_are_read(void)
{
	auto_close int fd = open("root/read", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	auto_close int outside = open("outside/secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(write(fd, "within", 6) == 6 && write(outside, "outside", 7) == 7);
	CHECK(symlink("/read", "root/read-link") == 0 && symlink("../outside/secret", "root/read-out") == 0);
	CHECK(mkfifo("root/read-fifo", 0600) == 0);
	CHECK(reads("/read", "within") && reads("read-link", "within"));
	CHECK(place_read(root, "/read-out") == -ENOENT && place_read(root, "/none") == -ENOENT);
	/* whoever opens a FIFO waits for a writer */
	CHECK(place_read(root, "/read-fifo") == -EINVAL && place_read(root, "/") == -EINVAL);
	auto_close int file = open("root/read", O_PATH | O_CLOEXEC);
	auto_close int itself = place_read(file, "");
	CHECK(is_same(itself, "root/read"));
	CHECK(unlink("outside/secret") == 0);
}

int main(void)
{
	char directory[] = "/tmp/dkvm-place-XXXXXX", remove[64];

	if (!mkdtemp(directory) || chdir(directory) < 0)
		return 1;
	umask(0022);
	CHECK(mkdir("root", 0755) == 0 && mkdir("root/etc", 0755) == 0 && mkdir("outside", 0755) == 0);
	close(open("root/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	test("links stay in the root", links_stay_in_the_root);
	test("what is missing is made as runc makes it", what_is_missing_is_made_as_runc_makes_it);
	test("a link that leads nowhere is made where it leads", a_link_that_leads_nowhere_is_made_where_it_leads);
	test("nothing is made outside", nothing_is_made_outside);
	test("another kind is refused", another_kind_is_refused);
	test("a name that is too long is refused", a_name_that_is_too_long_is_refused);
	test("the process's own root is one like another", the_own_root_is_one_like_another);
	test("only files are read, and none outside", only_files_are_read);
	close(root);
	snprintf(remove, sizeof remove, "rm -rf %s", directory);
	if (system(remove) != 0)
		printf("# %s is left\n", directory);
	return tests_end();
}
