/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes cut into frames, and frames' payloads into records: what was cut out is what was there, and all of it is. */
#include "fuzz.h"

#include "common/frame.h"

static void check_frame(const uint8_t *at, size_t size, long n, const struct frame *frame)
{
	uint8_t header[FRAME_HEADER];

	HOLDS((size_t)n <= size && (size_t)n == FRAME_HEADER + (size_t)frame->length);
	HOLDS(frame->length <= FRAME_MAX_PAYLOAD && frame->payload == at + FRAME_HEADER);
	frame_header(header, frame->type, frame->stream, frame->length);
	HOLDS(memcmp(header, at, sizeof header) == 0);
}

/* With less than all of a frame more is waited for, however little is there. */
static void check_cut(const uint8_t *at, size_t whole)
{
	struct frame frame;

	for (size_t size = whole < 64 ? 0 : whole - 64; size < whole; size++) {
		size_t copied;
		struct bytes in = {at, size};
		uint8_t *copy = take_copy(&in, size, &copied);

		HOLDS(frame_parse(copy, copied, &frame) == 0);
		free(copy);
	}
}

static void check_records(const uint8_t *bytes, size_t size)
{
	struct record record;
	size_t at = 0;
	long n;

	while ((n = record_parse(bytes + at, size - at, &record)) > 0) {
		uint8_t header[RECORD_HEADER];

		HOLDS((size_t)n <= size - at && (size_t)n == RECORD_HEADER + (size_t)record.length);
		HOLDS(record.value == bytes + at + RECORD_HEADER);
		record_header(header, record.tag, record.length);
		HOLDS(memcmp(header, bytes + at, sizeof header) == 0);
		at += (size_t)n;
	}
	HOLDS(n < 0 || at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;
	size_t at = 0;
	long n;

	while ((n = frame_parse(data + at, size - at, &frame)) > 0) {
		check_frame(data + at, size - at, n, &frame);
		check_cut(data + at, (size_t)n);
		check_records(frame.payload, frame.length);
		at += (size_t)n;
	}
	HOLDS(n == 0 || get_u32(data + at) > FRAME_MAX_PAYLOAD);
	check_records(data, size);
	return 0;
}
