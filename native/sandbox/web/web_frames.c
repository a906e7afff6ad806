/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/web/web_frames.h"

enum {
	OPCODE = 0x0F,
	LAST_DATA = 2, /* continuation, text, binary; from 8 on a frame only controls the connection */
	LENGTH = 0x7F,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
};

static const char HEAD_END[] = "\r\n\r\n";

static void read_head(struct frames *frames, char byte)
{
	if (byte == HEAD_END[frames->head_end])
		frames->head_end++;
	else
		frames->head_end = byte == HEAD_END[0];
}

/* A server's frames are not masked. */
static void read_header(struct frames *frames, uint8_t byte)
{
	if (frames->have == 0) {
		frames->data = (byte & OPCODE) <= LAST_DATA;
		frames->need = 2;
		frames->size = 0;
	} else if (frames->have == 1) {
		uint8_t length = byte & LENGTH;
		frames->need = length == LENGTH_64 ? 10 : length == LENGTH_16 ? 4 : 2;
		frames->size = length < LENGTH_16 ? length : 0;
	} else {
		frames->size = frames->size << 8 | byte;
	}
	if (++frames->have == frames->need) {
		frames->left = frames->size;
		frames->have = 0;
	}
}

uint64_t frames_data(struct frames *frames, const char *bytes, size_t size)
{
	uint64_t data = 0;

	for (size_t i = 0; i < size;) {
		if (frames->head_end < sizeof HEAD_END - 1) {
			read_head(frames, bytes[i++]);
		} else if (frames->left == 0) {
			read_header(frames, (uint8_t)bytes[i++]);
		} else {
			size_t part = frames->left < size - i ? (size_t)frames->left : size - i;
			frames->left -= part;
			data += frames->data ? part : 0;
			i += part;
		}
	}
	return data;
}
