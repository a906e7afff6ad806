/* SPDX-License-Identifier: Apache-2.0 */
/* A template's memory is put together of its pieces, and of nothing that is not a piece. */
#include "sandbox/init/template.h"

#include "common/frame.h"
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 65536 };

static int from = -1, to = -1;

static void open_both(void)
{
	close(from);
	close(to);
	from = memfd_create("pieces", MFD_CLOEXEC);
	to = memfd_create("memory", MFD_CLOEXEC);
	CHECK(ftruncate(to, SIZE) == 0);
}

static void put_piece(uint64_t offset, uint64_t length, const char *text)
{
	uint8_t header[16];

	put_u64(header, offset);
	put_u64(header + 8, length);
	CHECK(write(from, header, sizeof header) == sizeof header);
	CHECK(write(from, text, strlen(text)) == (ssize_t)strlen(text));
}

static int copied(void)
{
	CHECK(lseek(from, 0, SEEK_SET) == 0);
	return template_copy(from, to, SIZE);
}

static void pieces_are_put_in_their_places(void)
{
	char memory[SIZE];

	open_both();
	put_piece(4096, 5, "first");
	put_piece(SIZE - 4, 4, "last");
	CHECK(copied() == 0);
	CHECK(pread(to, memory, SIZE, 0) == SIZE);
	CHECK(memcmp(memory + 4096, "first", 5) == 0 && memcmp(memory + SIZE - 4, "last", 4) == 0);
	memset(memory + 4096, 0, 5);
	memset(memory + SIZE - 4, 0, 4);
	for (int i = 0; i < SIZE; i++)
		if (memory[i] != 0) {
			CHECK(memory[i] == 0);
			break;
		}
}

static void nothing_is_all_zero(void)
{
	open_both();
	CHECK(copied() == 0);
	CHECK(lseek(to, 0, SEEK_END) == SIZE);
}

static void a_piece_beyond_the_end_is_refused(void)
{
	open_both();
	put_piece(SIZE - 3, 4, "last");
	CHECK(copied() == -EBADMSG);
	open_both();
	put_piece(UINT64_MAX - 1, 4, "last");
	CHECK(copied() == -EBADMSG);
	open_both();
	put_piece(4, UINT64_MAX, "last");
	CHECK(copied() == -EBADMSG);
	CHECK(lseek(to, 0, SEEK_END) == SIZE);
}

static void a_piece_that_is_cut_is_an_error(void)
{
	open_both();
	put_piece(0, 100, "short");
	CHECK(copied() == -ENODATA);
	open_both();
	CHECK(write(from, "header", 6) == 6);
	CHECK(copied() == -EBADMSG);
	open_both();
	put_piece(0, 0, "");
	CHECK(copied() == -EBADMSG);
}

static bool parse(const char *text, struct template_option *option)
{
	static char copy[64];

	snprintf(copy, sizeof copy, "%s", text);
	return template_parse(option, copy);
}

static void the_option_is_a_path_and_a_size(void)
{
	struct template_option option;

	CHECK(parse("/run/dkvm/template:536870912", &option));
	CHECK(strcmp(option.directory, "/run/dkvm/template") == 0 && option.size == 536870912);
	CHECK(!parse("/memory", &option));
	CHECK(!parse(":1", &option));
	CHECK(!parse("/memory:", &option));
	CHECK(!parse("/memory:0", &option));
	CHECK(!parse("/memory:-1", &option));
	CHECK(!parse("/memory:1k", &option));
	CHECK(!parse("/memory:99999999999999999999", &option));
}

static void a_file_that_is_not_there_is_told(void)
{
	const struct template_option option = {"/nowhere", SIZE};
	struct launch_fault fault = {0};

	template_begin(&option);
	CHECK(template_memory(&fault) == -ENOENT);
	CHECK(strcmp(fault.text, "the template's memory can not be copied: no such file or directory") == 0);
	CHECK(template_state(&fault) == -ENOENT);
	template_end();
	CHECK(template_memory(&fault) < 0);
}

int main(void)
{
	test("pieces are put in their places", pieces_are_put_in_their_places);
	test("without pieces all is zero", nothing_is_all_zero);
	test("a piece beyond the end is refused", a_piece_beyond_the_end_is_refused);
	test("a piece that is cut is an error", a_piece_that_is_cut_is_an_error);
	test("the option is a path and a size", the_option_is_a_path_and_a_size);
	test("a file that is not there is told", a_file_that_is_not_there_is_told);
	return tests_end();
}
