/* SPDX-License-Identifier: Apache-2.0 */
/* What a websocket's server sends, see RFC 6455: the head of its answer, and then frames. */
#ifndef DKVM_WEB_FRAMES_H
#define DKVM_WEB_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: nothing has come. */
struct frames {
	uint8_t head_end;   /* bytes of the end of the answer's head */
	uint8_t have, need; /* bytes of a frame's header */
	bool data;          /* whether the frame has any, and is no ping, pong or close */
	uint64_t size;      /* of its payload, as far as the header tells it */
	uint64_t left;      /* of its payload, bytes */
};

/* Go on with what has come. Returns how many bytes of it are data. */
uint64_t frames_data(struct frames *frames, const char *bytes, size_t size);

#endif
