/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of relayed sockets, as either of their two ends has them, the agent and dkvm-sockets or dkvm-forward: a local socket
 * here, the other end's frames there. protocol/PROTOCOL.md, "Sockets", "Forwarded connections".
 */
#ifndef DKVM_TUNNEL_H
#define DKVM_TUNNEL_H

#include "common/credit.h"
#include "common/frame.h"
#include "common/loop.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	SOCKETS_MAX = 64,            /* of a container */
	TUNNELS_MAX = 256,           /* connections to them at one time */
	FORWARDS_MAX = 256,          /* forwarded connections; their streams come after those */
	PACKET_TUNNELS_MAX = 64,     /* those of them that carry messages, which take more memory */
	TUNNEL_MESSAGE_MAX = 212992, /* bytes: net.core.wmem_default, beyond which nobody sends by chance */
	TUNNEL_HEADER_SEQPACKET = 4, /* bytes before a message: u32 length */
	TUNNEL_HEADER_DATAGRAM = 12, /* bytes: u32 length, u32 uid, u32 gid of the sender */
};

struct tunnel {
	struct source source; /* the local socket */
	uint8_t type;         /* SOCK_*, 0: the place is free */
	uint32_t socket;      /* which of the container's */
	bool connected;       /* the local socket may be used */
	bool blocked;         /* it takes nothing now */
	bool hung_up;         /* its other side is gone */
	bool shut;            /* it was told the end of file */
	bool deaf;            /* nobody reads it: what comes is dropped */
	bool network;         /* it is of TCP: what ends the other side by an error is a reset here */
	bool in_ended, out_ended;
	bool closed_here, closed_there; /* CLOSE was sent, came */
	uint32_t credit;                /* bytes the other end takes */
	struct credit_window window;
	uint32_t owing; /* bytes that came and are not yet counted as handed on */
	uint8_t *in;    /* from the other end, for the local socket */
	size_t in_start, in_size, in_capacity;
	uint8_t *out; /* the rest of a message, for the other end */
	size_t out_start, out_size;
};

struct tunnel_owner {
	/* The local side of a connection of that socket's has ended by itself. */
	void (*ended)(uint32_t socket);
	/* A place is free again. */
	void (*freed)(void);
};

void tunnels_open(const struct tunnel_owner *owner);

/* A free place for a connection of that type, the next or the one with that stream. NULL: there is none. */
struct tunnel *tunnel_place(uint8_t type);
struct tunnel *tunnel_place_of(uint32_t stream, uint8_t type);

/* Likewise for a connection that is forwarded; stream 0: whichever is free. */
struct tunnel *tunnel_forward_place(uint32_t stream);

uint32_t tunnel_stream(const struct tunnel *tunnel);

/* Take the place: what the other end sends from now on is kept. */
void tunnel_begin(struct tunnel *tunnel, uint8_t type, uint32_t socket);

/* The local socket, which does not block. */
void tunnel_connect(struct tunnel *tunnel, int fd);

/* The local socket is the tunnel's source already, which the loop has. */
void tunnel_connected(struct tunnel *tunnel);

/* Close the local socket and tell the other end why, an errno or 0. */
void tunnel_close(struct tunnel *tunnel, int error);

/* The next begun connection, from *at (0 first) on, that has no local socket yet. */
struct tunnel *tunnel_next_waiting(size_t *at);

/* Whether a connection of that socket's is open. */
bool tunnel_is_open(uint32_t socket);

/* Close that socket's connections which have nothing left to send. */
void tunnel_finish(uint32_t socket);

/* Take SOCKET_DATA, SOCKET_CREDIT or SOCKET_CLOSE. Returns 0 or -EPROTO. */
int tunnels_frame(const struct frame *frame);

/* The channel takes data again. */
void tunnels_room(void);

/* Close every local socket and say nothing. */
void tunnels_end(void);

#endif
