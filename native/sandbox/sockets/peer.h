/* SPDX-License-Identifier: Apache-2.0 */
/* A process of the guest that connects to a socket of the host, and the real socket. */
#ifndef DKVM_PEER_H
#define DKVM_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PEER_GROUPS_MAX = 256 };

struct peer {
	uid_t uid;
	gid_t gid;
	size_t count;
	gid_t groups[PEER_GROUPS_MAX];
};

/*
 * Connect a new socket of that type, not blocking, with the rights of the peer: the server is told its uid and gid, and who may
 * not connect is refused. Returns the descriptor, -EAGAIN where the server has too many waiting, another -errno.
 */
int peer_connect(const char *path, int type, const struct peer *peer);

/*
 * The type (SOCK_*) of the socket at path. No server notices but one of SOCK_SEQPACKET, which sees a connection come and go.
 * Returns -ECONNREFUSED where nobody has it open any more: it will never be used again, for a socket is bound once.
 */
int socket_type(const char *path);

/* Whether nobody has the socket open any more. */
bool socket_is_gone(const char *path);

#endif
