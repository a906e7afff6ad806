/* SPDX-License-Identifier: Apache-2.0 */
#include "common/frame.h"

#include <errno.h>

void frame_header(uint8_t *p, uint8_t type, uint32_t stream, uint32_t length)
{
	put_u32(p, length);
	p[4] = type;
	put_u32(p + 5, stream);
}

long frame_parse(const uint8_t *p, size_t size, struct frame *frame)
{
	if (size < 4)
		return 0;
	frame->length = get_u32(p);
	if (frame->length > FRAME_MAX_PAYLOAD)
		return -EPROTO;
	if (size < (size_t)FRAME_HEADER + frame->length)
		return 0;
	frame->type = p[4];
	frame->stream = get_u32(p + 5);
	frame->payload = p + FRAME_HEADER;
	return (long)FRAME_HEADER + (long)frame->length;
}

long record_parse(const uint8_t *p, size_t size, struct record *record)
{
	if (size == 0)
		return 0;
	if (size < RECORD_HEADER)
		return -EPROTO;
	record->tag = get_u16(p);
	record->length = get_u32(p + 2);
	if (record->length > size - RECORD_HEADER)
		return -EPROTO;
	record->value = p + RECORD_HEADER;
	return (long)RECORD_HEADER + (long)record->length;
}

void record_header(uint8_t *p, uint16_t tag, uint32_t length)
{
	put_u16(p, tag);
	put_u32(p + 2, length);
}
