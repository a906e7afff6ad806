/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is sent. The first byte is how large the pieces are in which it arrives, and whether a terminal is raw. */
#include "fuzz.h"

#include "sandbox/client/client_frames.h"

static struct client client;

static void pause_here(const char *point)
{
	HOLDS(strlen(point) > 0 && strlen(point) <= CLIENT_MAX_POINT);
	HOLDS(strspn(point, "abcdefghijklmnopqrstuvwxyz") == strlen(point));
}

static void begin(bool raw)
{
	memset(&client, 0, sizeof client);
	for (int i = 0; i < 3; i++)
		client.ends[i] = (struct endpoint){.fd = -1, .original = -1, .dead = true};
	client.outlets[CHANNEL_STDIN] = (struct outlet){&client.ends[2], client.notices, sizeof client.notices, 0, 0};
	client.outlets[CHANNEL_STDOUT] = (struct outlet){&client.ends[1], client.output[0], FRAME_CREDIT, 0, 0};
	client.outlets[CHANNEL_STDERR] = (struct outlet){&client.ends[2], client.output[1], FRAME_CREDIT, 0, 0};
	client.granted[1] = client.granted[2] = FRAME_CREDIT;
	client.raw_mode.raw = raw;
	client.pause = pause_here;
}

static void check(void)
{
	for (int i = 1; i < 3; i++)
		HOLDS(client.granted[i] + client.owed[i] + client.outlets[i].used == FRAME_CREDIT);
	HOLDS(client.input_credit <= FRAME_CREDIT && client.received < sizeof client.receive);
	HOLDS(client.outlets[0].used <= CLIENT_NOTICE_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	uint8_t how = take_u8(&in);
	enum client_end end = CLIENT_RUNNING;

	begin(how & 1);
	while (in.left > 0 && end == CLIENT_RUNNING) {
		size_t room = sizeof client.receive - client.received, piece = 1 + (how >> 1) * 8u, n;
		uint8_t *bytes = take_copy(&in, piece < room ? piece : room, &n);

		memcpy(client.receive + client.received, bytes, n);
		free(bytes);
		client.received += n;
		end = client_take_frames(&client);
		HOLDS(end != CLIENT_LOST && (end == CLIENT_BROKEN) == (client.fault != NULL));
		if (end != CLIENT_BROKEN)
			check();
		for (int i = 1; i < 3 && (how & 2); i++)
			client.granted[i] += (uint32_t)outlet_flush(&client.outlets[i]); /* as if given back at once */
	}
	return 0;
}
