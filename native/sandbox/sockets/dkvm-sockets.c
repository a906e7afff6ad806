/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-sockets: connects to the host's sockets that are mounted into a container, for programs of its guest.
 *     dkvm-sockets MONITOR DIRECTORY COUNT
 * MONITOR is the monitor's socket, over which the agent's frames come; DIRECTORY has the sockets, named 0, 1 ….
 * protocol/PROTOCOL.md, "Sockets".
 */
#include "common/channel.h"
#include "common/files.h"
#include "common/loop.h"
#include "sandbox/serve/serve.h"
#include "sandbox/sockets/peer.h"
#include "common/tunnel.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
	RETRY_MILLIS = 10, /* how soon a server that has too many waiting is asked again */
	LOOKS = 10,        /* how often a socket is looked at after a connection of its server's ended */
	OPEN_FIXED = 12,   /* bytes */
	SOCKET_RECORD = RECORD_HEADER + 20,
};

struct real_socket {
	char path[PATH_MAX];
	uint8_t type; /* SOCK_* */
	bool gone;
	int looks; /* still to be had */
};

static struct real_socket sockets[SOCKETS_MAX];
static struct peer peers[TUNNELS_MAX]; /* by place */
static uint32_t count;

/* A socket is bound once: where nobody has it open, nobody ever will. */
static void look_after(uint32_t number)
{
	uint8_t payload[4];

	if (sockets[number].gone || !socket_is_gone(sockets[number].path))
		return;
	sockets[number].gone = true;
	put_u32(payload, number);
	channel_send(FRAME_SOCKET_GONE, 0, payload, sizeof payload);
}

/* A process that dies may close its connections before the socket that it listens on. */
static void connection_ended(uint32_t number)
{
	sockets[number].looks = LOOKS;
	look_after(number);
}

static void place_freed(void)
{
	/* the agent knows by itself */
}

static void try_to_connect(struct tunnel *tunnel)
{
	const struct real_socket *socket = &sockets[tunnel->socket];
	int fd = peer_connect(socket->path, socket->type, &peers[tunnel_stream(tunnel) - 1]);

	if (fd >= 0)
		tunnel_connect(tunnel, fd);
	else if (fd != -EAGAIN)
		tunnel_close(tunnel, -fd);
}

static int take_open(const struct frame *frame)
{
	if (frame->length < OPEN_FIXED || frame->length % 4 != 0 || frame->length > OPEN_FIXED + 4 * PEER_GROUPS_MAX)
		return -EPROTO;
	uint32_t number = get_u32(frame->payload);
	if (number >= count)
		return -EPROTO;
	struct tunnel *tunnel = tunnel_place_of(frame->stream, sockets[number].type);
	if (!tunnel)
		return -EPROTO;
	struct peer *peer = &peers[frame->stream - 1];
	peer->uid = get_u32(frame->payload + 4);
	peer->gid = get_u32(frame->payload + 8);
	peer->count = (frame->length - OPEN_FIXED) / 4;
	for (size_t i = 0; i < peer->count; i++)
		peer->groups[i] = get_u32(frame->payload + OPEN_FIXED + 4 * i);
	tunnel_begin(tunnel, sockets[number].type, number);
	tunnel->out_ended = sockets[number].type == SOCK_DGRAM; /* where an answer would go, nobody could say */
	try_to_connect(tunnel);
	return 0;
}

static int take_frame(const struct frame *frame)
{
	return frame->type == FRAME_SOCKET_OPEN ? take_open(frame) : tunnels_frame(frame);
}

/* Tell the monitor what the sockets are like: the agent makes such ones. */
static void report(void)
{
	static uint8_t payload[SOCKETS_MAX * SOCKET_RECORD];

	for (uint32_t i = 0; i < count; i++) {
		struct stat st;
		uint8_t *record = payload + i * SOCKET_RECORD, *value = record + RECORD_HEADER;
		if (stat(sockets[i].path, &st) < 0)
			serve_die(sockets[i].path, errno);
		int type = socket_type(sockets[i].path);
		sockets[i].gone = type < 0;
		sockets[i].type = (uint8_t)(type < 0 ? SOCK_STREAM : type);
		record_header(record, RECORD_SOCKET, SOCKET_RECORD - RECORD_HEADER);
		put_u32(value, i);
		value[4] = sockets[i].type;
		value[5] = sockets[i].gone;
		put_u32(value + 8, st.st_mode & 07777);
		put_u32(value + 12, st.st_uid);
		put_u32(value + 16, st.st_gid);
	}
	if (channel_send(FRAME_SOCKETS, 0, payload, count * SOCKET_RECORD) < 0)
		serve_die("the monitor", ENOBUFS);
	channel_flush();
}

/* Connect what could not be connected before, see who has gone. Returns the milliseconds to the next try, -1: none. */
static int tick(void)
{
	struct tunnel *tunnel;
	size_t at = 0;
	int next = -1;

	while ((tunnel = tunnel_next_waiting(&at))) {
		try_to_connect(tunnel);
		next = RETRY_MILLIS;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (sockets[i].looks == 0 || sockets[i].gone)
			continue;
		sockets[i].looks--;
		look_after(i);
		next = RETRY_MILLIS;
	}
	return next;
}

int main(int argc, char **argv)
{
	static const struct service service = {"sockets", take_frame, tunnels_room, tick};
	static const struct tunnel_owner owner = {connection_ended, place_freed};
	unsigned long wanted = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	serve_begin();
	if (wanted == 0 || wanted > SOCKETS_MAX) {
		fprintf(stderr, "dkvm-sockets MONITOR DIRECTORY COUNT\n");
		return 2;
	}
	count = (uint32_t)wanted;
	for (uint32_t i = 0; i < count; i++)
		snprintf(sockets[i].path, sizeof sockets[i].path, "%s/%u", argv[2], i);
	tunnels_open(&owner);
	int r = loop_open();
	if (r < 0)
		serve_die("loop", r);
	serve_connect(&service, argv[1]);
	report();
	serve(&service);
}
