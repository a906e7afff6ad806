/* SPDX-License-Identifier: Apache-2.0 */
/* The fake monitor that breaks the protocol. */
#include "fake_monitor.h"

#include <string.h>
#include <unistd.h>

static struct session *const s = &fake_session;

static uint8_t zeros[FRAME_CREDIT + 1];

/* One frame each that breaks the protocol; claimed is the length in its header. */
static const struct {
	const char *name;
	uint8_t type;
	uint32_t stream;
	uint32_t claimed;
	const void *payload;
	size_t length;
} hostile_frames[] = {
	{"oversized", FRAME_STDOUT, 1, FRAME_MAX_PAYLOAD + 1, "", 0},
	{"huge", FRAME_STDOUT, 1, UINT32_MAX, "", 0},
	{"unknown", 0x7F, 1, 1, "x", 1},
	{"wrong-side", FRAME_STDIN, 1, 1, "x", 1},
	{"control", FRAME_SHUTDOWN, 1, 0, "", 0},
	{"wrong-stream", FRAME_STDOUT, 2, 0, "", 0},
	{"short-exit", FRAME_EXIT, 1, 1, "x", 1},
	{"opened-twice", FRAME_OPENED, 1, 4, zeros, 4},
	{"late-refusal", FRAME_REFUSED, 1, 2, "\1x", 2},
	{"credit", FRAME_CREDIT_MORE, 1, 5, "\0\1\0\0\0", 5},
	{"credit-wrap", FRAME_CREDIT_MORE, 1, 5, "\0\377\377\377\377", 5},
	{"credit-channel", FRAME_CREDIT_MORE, 1, 5, "\1\0\0\0\0", 5},
	{"overflow", FRAME_STDERR, 1, sizeof zeros, zeros, sizeof zeros},
	{"long-notice", FRAME_NOTICE, 1, 4097, zeros, 4097},
	{"break", FRAME_BREAK, 1, 6, "prenet", 6},
};

void fake_break(const char *name)
{
	uint8_t header[FRAME_HEADER];

	fake_open();
	for (size_t i = 0; i < sizeof hostile_frames / sizeof hostile_frames[0]; i++) {
		if (strcmp(name, hostile_frames[i].name) != 0)
			continue;
		frame_header(header, hostile_frames[i].type, hostile_frames[i].stream, hostile_frames[i].claimed);
		session_send(s, header, sizeof header);
		session_send(s, hostile_frames[i].payload, hostile_frames[i].length);
	}
	pause();
}

void fake_output_before_opened(void)
{
	session_accept(s);
	session_put(s, FRAME_STDOUT, "x", 1);
	pause();
}

void fake_output_after_end(void)
{
	fake_open();
	session_put(s, FRAME_STDERR, "", 0);
	session_put(s, FRAME_STDERR, "x", 1);
	pause();
}

void fake_truncate(void)
{
	uint8_t header[FRAME_HEADER];

	fake_open();
	session_put_output(s, CHANNEL_STDOUT, "before\n", 7);
	frame_header(header, FRAME_STDOUT, 1, 100);
	session_send(s, header, sizeof header);
	_exit(0);
}
