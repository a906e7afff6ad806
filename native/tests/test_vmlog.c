/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM left is copied with bounds, from a directory that somebody hostile wrote to. */
#include "host/keep/vmlog.h"

#include "common/files.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[512 * 1024];

static int open_directory(const char *name)
{
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put(const char *path, const char *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	close(fd);
}

/* The text of a copy, or what went wrong. */
static int copied(const char *name, off_t first, off_t last)
{
	auto_close int directory = open_directory("log");
	auto_close int to = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int r = vmlog_copy(directory, name, to, first, last);
	ssize_t n = pread(to, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return r;
}

static void a_small_file_is_copied_whole(void)
{
	put("log/small", "0123456789", 10);
	CHECK(copied("small", 5, 5) == 0 && strcmp(text, "0123456789") == 0);
	CHECK(copied("small", 20, 0) == 0 && strcmp(text, "0123456789") == 0);
}

static void of_a_large_file_the_ends_are_copied(void)
{
	CHECK(copied("small", 2, 3) == 0 && strcmp(text, "01\n[5 bytes are left out]\n789") == 0);
	CHECK(copied("small", 0, 3) == 0 && strcmp(text, "[7 bytes are left out]\n789") == 0);
	CHECK(copied("small", 4, 0) == 0 && strcmp(text, "0123") == 0);
}

static void no_link_is_followed_and_nothing_waits(void)
{
	CHECK(symlink("../secret", "log/link") == 0 && mkfifo("log/fifo", 0600) == 0 && mkdir("log/dir", 0700) == 0);
	put("secret", "secret", 6);
	CHECK(copied("link", 10, 10) == -ELOOP && text[0] == '\0');
	CHECK(copied("fifo", 10, 10) == -EINVAL && text[0] == '\0');
	CHECK(copied("dir", 10, 10) == -EINVAL && text[0] == '\0');
	CHECK(copied("nothing", 10, 10) == -ENOENT);
}

static void a_file_with_holes_is_bounded(void)
{
	put("log/holes", "x", 1);
	CHECK(truncate("log/holes", 1LL << 40) == 0);
	struct stat st;
	CHECK(copied("holes", 1024, 1024) == 0 && stat("copy", &st) == 0 && st.st_size < 4096);
}

static void an_id_is_one_name(void)
{
	char longest[NAME_MAX + 1];

	memset(longest, 'a', sizeof longest);
	longest[NAME_MAX] = '\0';
	CHECK(vmlog_check_id("0a1b.c_d+e-f") == 0);
	CHECK(vmlog_check_id("") == -EINVAL && vmlog_check_id(".") == -EINVAL && vmlog_check_id("..") == -EINVAL);
	CHECK(vmlog_check_id("a/b") == -EINVAL && vmlog_check_id("a b") == -EINVAL &&
	      vmlog_check_id(longest) == -EINVAL);
}

static int count_kept(void)
{
	int count = -1;
	FILE *list = popen("ls kept | wc -l", "r");

	CHECK(list && fscanf(list, "%d", &count) == 1);
	pclose(list);
	return count;
}

static void a_vm_is_kept_with_the_hosts_word_on_it(void)
{
	auto_close int vm = open_directory(".");
	auto_close int kept = open_directory("kept");

	put("vm.json", "{}", 2);
	CHECK(vmlog_keep(vm, kept, "first") == 0 && count_kept() == 0);
	put("log/monitor.log", "0 a line\n", 9);
	CHECK(symlink("/etc/passwd", "log/console.log") == 0);
	CHECK(vmlog_keep(vm, kept, "first") == 0 && count_kept() == 1);
	CHECK(system("cd kept/*-first && test \"$(ls | tr '\\n' ' ')\" = 'monitor.log vm.json '") == 0);
}

static void the_oldest_go_first_and_nothing_else(void)
{
	auto_close int kept = open_directory("kept");
	struct vmlog_limits two = {2, 1 << 20}, few_bytes = {9, 10};

	put("kept/not-ours", "x", 1);
	for (int i = 0; i < 3; i++) {
		char path[64];
		snprintf(path, sizeof path, "kept/2020010%dT000000.000Z-old", i + 1);
		CHECK(mkdir(path, 0700) == 0);
		snprintf(path, sizeof path, "kept/2020010%dT000000.000Z-old/monitor.log", i + 1);
		put(path, "12345", 5);
	}
	CHECK(vmlog_prune(kept, &two) == 0 && count_kept() == 3);
	CHECK(access("kept/20200103T000000.000Z-old/monitor.log", F_OK) == 0);
	CHECK(access("kept/20200102T000000.000Z-old", F_OK) < 0);
	CHECK(vmlog_prune(kept, &few_bytes) == 0 && count_kept() == 2);
	CHECK(access("kept/not-ours", F_OK) == 0 && access("kept/20200103T000000.000Z-old", F_OK) < 0);
}

int main(void)
{
	char directory[] = "/tmp/dkvm-test-XXXXXX";

	if (!mkdtemp(directory) || chdir(directory) < 0 || mkdir("log", 0700) < 0 || mkdir("kept", 0700) < 0)
		return 1;
	test("a small file is copied whole", a_small_file_is_copied_whole);
	test("of a large file the ends are copied", of_a_large_file_the_ends_are_copied);
	test("no link is followed and nothing waits", no_link_is_followed_and_nothing_waits);
	test("a file with holes is bounded", a_file_with_holes_is_bounded);
	test("an id is one name", an_id_is_one_name);
	test("a VM is kept with the host's word on it", a_vm_is_kept_with_the_hosts_word_on_it);
	test("the oldest go first, and nothing else", the_oldest_go_first_and_nothing_else);
	if (chdir("/") < 0)
		return 1;
	char remove[64];
	snprintf(remove, sizeof remove, "rm -rf %s", directory);
	return system(remove) != 0 || tests_end();
}
