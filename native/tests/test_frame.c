/* SPDX-License-Identifier: Apache-2.0 */
#include "common/frame.h"
#include "common/credit.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static void a_frame_is_read_as_it_was_written(void)
{
	uint8_t bytes[FRAME_HEADER + 5];
	struct frame frame;

	frame_header(bytes, FRAME_STDOUT, 0xFFFFFFFFu, 5);
	memcpy(bytes + FRAME_HEADER, "hello", 5);
	CHECK(frame_parse(bytes, sizeof bytes, &frame) == sizeof bytes);
	CHECK(frame.type == FRAME_STDOUT && frame.stream == 0xFFFFFFFFu && frame.length == 5);
	CHECK(memcmp(frame.payload, "hello", 5) == 0);
}

static void every_cut_of_a_frame_needs_more(void)
{
	uint8_t bytes[FRAME_HEADER + 20] = {0};
	struct frame frame;

	frame_header(bytes, FRAME_STDIN, 1, 20);
	for (size_t size = 0; size < sizeof bytes; size++)
		CHECK(frame_parse(bytes, size, &frame) == 0);
}

static void a_length_over_the_bound_is_refused_at_once(void)
{
	uint8_t bytes[FRAME_HEADER];
	struct frame frame;

	frame_header(bytes, FRAME_STDIN, 1, FRAME_MAX_PAYLOAD + 1);
	CHECK(frame_parse(bytes, 4, &frame) == -EPROTO);
	frame_header(bytes, FRAME_STDIN, 1, 0xFFFFFFFFu);
	CHECK(frame_parse(bytes, sizeof bytes, &frame) == -EPROTO);
	frame_header(bytes, FRAME_STDIN, 1, FRAME_MAX_PAYLOAD);
	CHECK(frame_parse(bytes, sizeof bytes, &frame) == 0);
}

static void a_record_that_is_cut_is_refused(void)
{
	uint8_t bytes[RECORD_HEADER + 4] = {0};
	struct record record;

	record_header(bytes, RECORD_ARG, 4);
	CHECK(record_parse(bytes, 0, &record) == 0);
	for (size_t size = 1; size < sizeof bytes; size++)
		CHECK(record_parse(bytes, size, &record) == -EPROTO);
	CHECK(record_parse(bytes, sizeof bytes, &record) == sizeof bytes);
	CHECK(record.tag == RECORD_ARG && record.length == 4);
	record_header(bytes, RECORD_ARG, 0xFFFFFFFFu);
	CHECK(record_parse(bytes, sizeof bytes, &record) == -EPROTO);
}

static void random_bytes_never_read_beyond_the_end(void)
{
	uint32_t state = 7;
	uint8_t bytes[64];

	for (int round = 0; round < 20000; round++) {
		size_t size = next_random(&state) % sizeof bytes;
		struct frame frame;
		struct record record;
		for (size_t i = 0; i < size; i++)
			bytes[i] = next_random(&state) % 3 ? (uint8_t)(next_random(&state) % 4)
							   : (uint8_t)next_random(&state);
		long n = frame_parse(bytes, size, &frame);
		CHECK(n <= (long)size);
		n = record_parse(bytes, size, &record);
		CHECK(n <= (long)size);
	}
}

static void credit_never_exceeds_its_bound(void)
{
	uint32_t credit = FRAME_CREDIT;

	CHECK(credit_add(&credit, 1) == -EPROTO);
	credit = 10;
	CHECK(credit_add(&credit, FRAME_CREDIT - 10) == 0 && credit == FRAME_CREDIT);
	credit = 1;
	CHECK(credit_add(&credit, 0xFFFFFFFFu) == -EPROTO && credit == 1);
}

static void data_beyond_the_credit_is_refused(void)
{
	struct credit_window window = {.open = FRAME_CREDIT};

	CHECK(credit_received(&window, FRAME_CREDIT) == 0);
	CHECK(credit_received(&window, 1) == -EPROTO);
	CHECK(credit_received(&window, 0) == 0);
}

static void credit_comes_back_in_pieces_and_is_never_lost(void)
{
	struct credit_window window = {.open = FRAME_CREDIT};
	uint32_t state = 3, sent = FRAME_CREDIT, held = 0;

	for (int round = 0; round < 10000; round++) {
		uint32_t size = next_random(&state) % 30000;
		if (size <= window.open) {
			CHECK(credit_received(&window, size) == 0);
			held += size;
			sent -= size;
		}
		uint32_t written = held ? next_random(&state) % (held + 1) : 0;
		held -= written;
		uint32_t given = credit_handed_on(&window, written);
		CHECK(given == 0 || given >= CREDIT_PIECE);
		sent += given;
		CHECK(sent == window.open && window.open + window.owed + held == FRAME_CREDIT);
		CHECK(window.owed < CREDIT_PIECE);
	}
}

int main(void)
{
	test("a frame is read as it was written", a_frame_is_read_as_it_was_written);
	test("every cut of a frame needs more", every_cut_of_a_frame_needs_more);
	test("a length over the bound is refused at once", a_length_over_the_bound_is_refused_at_once);
	test("a record that is cut is refused", a_record_that_is_cut_is_refused);
	test("random bytes never read beyond the end", random_bytes_never_read_beyond_the_end);
	test("credit never exceeds its bound", credit_never_exceeds_its_bound);
	test("data beyond the credit is refused", data_beyond_the_credit_is_refused);
	test("credit comes back in pieces and is never lost", credit_comes_back_in_pieces_and_is_never_lost);
	return tests_end();
}
