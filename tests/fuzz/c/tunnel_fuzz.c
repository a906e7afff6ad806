/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of relayed sockets, with a hostile peer at the channel's other end and a local program that reads, or does not.
 * A list of steps: what (a frame's type, or one of the local side's), which connection, length u16, payload.
 */
#include "fuzz.h"

#include "common/channel.h"
#include "common/loop.h"
#include "common/tunnel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4, LOCAL = 8, MEMORY_MAX = FRAME_CREDIT + TUNNEL_MESSAGE_MAX + TUNNEL_HEADER_DATAGRAM };

static const uint8_t types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static int ends[CONNECTIONS];
static uint64_t sent[CONNECTIONS], granted[CONNECTIONS]; /* bytes: by the local side; that the peer lets it */
static int peer = -1;
static bool broken_off;

static void nothing(void)
{
}

static void freed(void)
{
}

static void ended(uint32_t socket)
{
	HOLDS(socket < CONNECTIONS);
}

static int no_frame(const struct frame *frame)
{
	(void)frame;
	return 0;
}

static void broken(int error)
{
	(void)error;
	broken_off = true;
}

static const struct tunnel_owner owner = {ended, freed};
static const struct channel_events events = {nothing, no_frame, tunnels_room, broken, NULL};

/* What the agent sends the monitor: whole frames, and never more data than there is credit. */
static void read_peer(void)
{
	static uint8_t bytes[1 << 20];
	static size_t size;
	struct frame frame;
	size_t at = 0;
	ssize_t n;
	long taken;

	channel_flush();
	while ((n = recv(peer, bytes + size, sizeof bytes - size, MSG_DONTWAIT)) > 0)
		size += (size_t)n;
	while ((taken = frame_parse(bytes + at, size - at, &frame)) > 0) {
		HOLDS(frame.stream >= 1 && frame.stream <= TUNNELS_MAX);
		HOLDS(frame.type == FRAME_SOCKET_DATA || frame.type == FRAME_SOCKET_CREDIT ||
		      frame.type == FRAME_SOCKET_CLOSE);
		if (frame.type == FRAME_SOCKET_DATA && frame.stream <= CONNECTIONS) {
			sent[frame.stream - 1] += frame.length;
			HOLDS(sent[frame.stream - 1] <= granted[frame.stream - 1]);
		}
		at += (size_t)taken;
	}
	HOLDS(taken == 0);
	memmove(bytes, bytes + at, size - at);
	size -= at;
}

static void begin(int i)
{
	struct tunnel *tunnel = tunnel_place_of((uint32_t)i + 1, types[i % 3]);
	int pair[2];

	if (!tunnel)
		return;
	HOLDS(socketpair(AF_UNIX, types[i % 3] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	if (ends[i] >= 0)
		close(ends[i]);
	ends[i] = pair[1];
	sent[i] = 0;
	granted[i] = FRAME_CREDIT;
	tunnel_begin(tunnel, types[i % 3], (uint32_t)i);
	tunnel_connect(tunnel, pair[0]);
}

static void local(int what, int i, const uint8_t *bytes, size_t size)
{
	static uint8_t away[FRAME_CREDIT];

	if (what == 0) {
		begin(i);
	} else if (ends[i] >= 0 && what == 1) {
		(void)!send(ends[i], bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (ends[i] >= 0 && what == 2) {
		(void)!recv(ends[i], away, sizeof away, MSG_DONTWAIT);
	} else if (ends[i] >= 0 && what == 3) {
		shutdown(ends[i], SHUT_WR);
	} else if (ends[i] >= 0 && what == 4) {
		close(ends[i]);
		ends[i] = -1;
	}
	loop_wait(0);
}

static bool from_peer(uint8_t type, int i, const uint8_t *bytes, size_t size)
{
	struct frame frame = {(uint32_t)size, type, (uint32_t)i + 1, bytes};

	if (tunnels_frame(&frame) < 0)
		return false;
	if (type == FRAME_SOCKET_CREDIT)
		granted[i] += get_u32(bytes);
	return true;
}

static void start(void)
{
	int pair[2];

	HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	peer = pair[1];
	HOLDS(loop_open() == 0 && channel_open(pair[0], &events) == 0);
	tunnels_open(&owner);
	for (int i = 0; i < CONNECTIONS; i++)
		ends[i] = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	bool kept = true;

	if (peer < 0)
		start();
	for (int i = 0; i < CONNECTIONS; i++)
		begin(i);
	while (in.left > 0 && kept) {
		uint8_t what = take_u8(&in), i = take_u8(&in) % CONNECTIONS;
		size_t length;
		uint8_t *bytes = take_copy(&in, take_u16(&in), &length);

		if (what < LOCAL)
			local(what, i, bytes, length);
		else
			kept = from_peer((uint8_t)(FRAME_SOCKET_DATA + what % 3), i, bytes, length);
		free(bytes);
		read_peer();
		HOLDS(!broken_off);
	}
	tunnels_end();
	for (int i = 0; i < CONNECTIONS; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
		ends[i] = -1;
	}
	read_peer();
	return 0;
}
