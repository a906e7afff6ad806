/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-events' table of watches, and what it opens of what a guest names. */
#include "sandbox/share/slots.h"
#include "sandbox/events/watches.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static int share = -1;

static void one_descriptor_serves_many_numbers(void)
{
	bool seen[WATCHES_MAX + 1] = {false};
	uint32_t count = 0;

	watches_add(1, 7);
	watches_add(5, 7);
	watches_add(WATCHES_MAX, 7);
	watches_add(6, 7 + 4096); /* in the same bucket */
	for (uint32_t n = watches_next(7, 0); n && count < 10; n = watches_next(7, n), count++)
		seen[n] = true;
	CHECK(count == 3 && seen[1] && seen[5] && seen[WATCHES_MAX]);
	CHECK(watches_remove(5) == -1);
	CHECK(watches_remove(1) == -1);
	CHECK(watches_remove(WATCHES_MAX) == 7);
	CHECK(watches_next(7, 0) == 0 && watches_next(7 + 4096, 0) == 6);
	CHECK(watches_remove(6) == 7 + 4096);
}

static void a_descriptor_that_is_gone_frees_its_numbers(void)
{
	watches_add(2, 9);
	watches_add(3, 9);
	watches_gone(9);
	CHECK(!watches_has(2) && !watches_has(3) && watches_next(9, 0) == 0);
	watches_gone(9);
}

static void numbers_out_of_bounds_are_nobodys(void)
{
	CHECK(!watches_has(0) && !watches_has(WATCHES_MAX + 1) && !watches_has(UINT32_MAX));
	CHECK(watches_remove(0) == -1 && watches_remove(UINT32_MAX) == -1);
}

/* Against a table as simple as can be. */
static void the_table_agrees_with_a_simple_one(void)
{
	static int simple[65];
	uint32_t state = 1;

	for (int i = 0; i < 20000; i++) {
		uint32_t number = 1 + next_random(&state) % 64;
		int descriptor = 1 + (int)(next_random(&state) % 6) * 4096;
		int others = 0, found = 0;

		if (simple[number]) {
			for (uint32_t n = 1; n <= 64; n++)
				others += n != number && simple[n] == simple[number];
			CHECK(watches_remove(number) == (others ? -1 : simple[number]));
			simple[number] = 0;
		} else {
			watches_add(number, descriptor);
			simple[number] = descriptor;
		}
		for (uint32_t n = watches_next(descriptor, 0); n; n = watches_next(descriptor, n))
			found += simple[n] == descriptor ? 1 : 1000;
		for (uint32_t n = 1; n <= 64; n++)
			found -= simple[n] == descriptor;
		CHECK(found == 0);
	}
	for (uint32_t n = 1; n <= 64; n++)
		watches_remove(n);
}

static int opens(const char *path)
{
	int fd = slots_open(share, path);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void what_is_in_a_slot_is_found(void)
{
	CHECK(opens("/1") == 0);
	CHECK(opens("/1/") == 0);
	CHECK(opens("/1/sub/file") == 0);
	CHECK(opens("/f2") == 0);
	CHECK(opens("/1/\xff\n\x01") == 0);
	CHECK(opens("/1/missing") == -ENOENT);
}

static void nothing_else_is(void)
{
	static const char *const names[] = {"",        "/",    "1",    "//1", "/root", "/root/etc", "/..",
					    "/.",      "/f",   "/f2x", "/ 1", "/+1",   "/-1",       "/1x",
					    "/../etc", "/ff2", "/0x1", "/F2", "/1\n",  "/roo",      "/12345678901"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		CHECK(opens(names[i]) == -EINVAL);
	CHECK(opens("/77") == -ENOENT);
}

static void no_way_leads_out_of_a_slot(void)
{
	CHECK(opens("/1/..") < 0);
	CHECK(opens("/1/../2") < 0);
	CHECK(opens("/1/sub/../../../etc") < 0);
	CHECK(opens("/1/out") == -EOPNOTSUPP); /* the link itself, which is not watched */
	CHECK(opens("/1/out/passwd") == -ELOOP);
	CHECK(opens("/1/near/file") == -ELOOP);
	CHECK(opens("/3") < 0);
	CHECK(opens("/1/fifo") == -EOPNOTSUPP);
}

static int make(const char *name, int (*how)(const char *path))
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return how(path);
}

static int make_dir(const char *path)
{
	return mkdir(path, 0755);
}

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int make_fifo(const char *path)
{
	return mkfifo(path, 0644);
}

static int link_out(const char *path)
{
	return symlink("/etc", path);
}

static int link_near(const char *path)
{
	return symlink("sub", path);
}

static const struct {
	const char *name;
	int (*how)(const char *);
} things[] = {{"1", make_dir},     {"1/sub", make_dir},   {"1/sub/file", make_file}, {"1/\xff\n\x01", make_file},
	      {"1/out", link_out}, {"1/near", link_near}, {"1/fifo", make_fifo},     {"2", make_dir},
	      {"f2", make_file},   {"3", link_out},       {"root", make_dir}};

static int remove_one(const char *path)
{
	return remove(path);
}

int main(void)
{
	strcpy(directory, "/tmp/dkvm-test-XXXXXX");
	if (!mkdtemp(directory))
		return 2;
	for (size_t i = 0; i < sizeof things / sizeof *things; i++)
		if (make(things[i].name, things[i].how) < 0)
			return 2;
	share = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test("one descriptor serves many numbers", one_descriptor_serves_many_numbers);
	test("a descriptor that is gone frees its numbers", a_descriptor_that_is_gone_frees_its_numbers);
	test("numbers out of bounds are nobody's", numbers_out_of_bounds_are_nobodys);
	test("the table agrees with a simple one", the_table_agrees_with_a_simple_one);
	test("what is in a slot is found", what_is_in_a_slot_is_found);
	test("nothing else is", nothing_else_is);
	test("no way leads out of a slot", no_way_leads_out_of_a_slot);
	close(share);
	for (size_t i = sizeof things / sizeof *things; i > 0; i--)
		make(things[i - 1].name, remove_one);
	rmdir(directory);
	return tests_end();
}
