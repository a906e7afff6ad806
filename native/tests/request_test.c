/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/request.h"

#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *environment[] = {"A=1", "HOME=/root", "EMPTY=", "no equals sign", "HOMER=x", NULL};
static char *arguments[] = {"sh", "", "-c", "a longer argument than the others", NULL};
static char *none[] = {NULL};

static void fill(struct request *r, bool set_home)
{
	*r = (struct request){.arguments = arguments, .environment = environment, .set_home = set_home};
	request_add(r, RECORD_CWD, "/", 1);
	request_add(r, RECORD_STDIN, "\1", 1);
}

/* Read in pieces of one size; returns the length, 0 when a piece was shorter than it had to be. */
static size_t read_in_pieces(struct request *r, uint8_t *all, size_t piece)
{
	size_t length = 0;

	while (!request_done(r)) {
		size_t n = request_read(r, all + length, piece);

		length += n;
		if (n < piece && !request_done(r))
			return 0;
	}
	return length;
}

static void reads_the_same_in_any_pieces(void)
{
	static struct request r;
	uint8_t whole[1024], pieces[1024];
	bool same = true;

	fill(&r, false);
	size_t length = read_in_pieces(&r, whole, sizeof whole);

	CHECK("its length is known before", length == request_length(&r) && length > 0);
	for (size_t piece = 1; piece <= length + 1; piece++) {
		fill(&r, false);
		same = read_in_pieces(&r, pieces, piece) == length && memcmp(whole, pieces, length) == 0 && same;
	}
	CHECK("pieces of every size join to the same records", same);
	fill(&r, false);
	CHECK("the last piece knows that it is, even when it is full",
	      request_read(&r, pieces, length) == length && request_done(&r));
}

static void has_records_in_order(void)
{
	static const char *const values[] = {
		"/", "\1", "A=1", "EMPTY=", "HOMER=x", "sh", "", "-c", "a longer argument than the others"};
	static const uint16_t tags[] = {RECORD_CWD, RECORD_STDIN, RECORD_ENV, RECORD_ENV, RECORD_ENV,
					RECORD_ARG, RECORD_ARG,   RECORD_ARG, RECORD_ARG};
	static struct request r;
	struct record record;
	uint8_t bytes[1024];
	size_t at = 0, count = 0;
	bool right = true;

	fill(&r, true);
	size_t length = request_read(&r, bytes, sizeof bytes);

	for (long n; (n = record_parse(bytes + at, length - at, &record)) > 0; at += (size_t)n, count++)
		right = right && count < 9 && record.tag == tags[count] && record.length == strlen(values[count]) &&
			memcmp(record.value, values[count], record.length) == 0;
	CHECK("options, environment without HOME, arguments", right && count == 9 && at == length);
	r = (struct request){.arguments = none, .environment = none};
	CHECK("nothing is nothing", request_read(&r, bytes, sizeof bytes) == 0 && request_done(&r));
}

static void has_bounds(void)
{
	static struct request r;
	static uint8_t value[REQUEST_OPTIONS];

	r = (struct request){.arguments = none, .environment = none};
	CHECK("options that fill it fit", request_add(&r, RECORD_CWD, value, REQUEST_OPTIONS - RECORD_HEADER) == 0);
	CHECK("one more does not", request_add(&r, RECORD_CWD, value, 0) == -E2BIG);
	r.options_length = 10;
	CHECK("nor one without room for its header",
	      request_add(&r, RECORD_CWD, value, REQUEST_OPTIONS - 10) == -E2BIG);
	CHECK("nor one larger than all", request_add(&r, RECORD_CWD, value, SIZE_MAX) == -E2BIG);
}

int main(void)
{
	reads_the_same_in_any_pieces();
	has_records_in_order();
	has_bounds();
	return check_end();
}
