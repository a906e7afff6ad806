/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sockets/peer.h"

#include "common/files.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= (int)sizeof address.sun_path)
		return -ENAMETOOLONG;
	return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

static int open_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* The last step takes the capabilities away, so it comes last. */
static int act_as(const struct peer *peer)
{
	if (setgroups(peer->count, peer->groups) < 0 || setegid(peer->gid) < 0 || seteuid(peer->uid) < 0)
		return -errno;
	return 0;
}

static int act_as_oneself(void)
{
	return seteuid(0) < 0 || setegid(0) < 0 || setgroups(0, NULL) < 0 ? -errno : 0;
}

int peer_connect(const char *path, int type, const struct peer *peer)
{
	auto_close int fd = open_socket(type);
	bool root = getuid() == 0; /* else this is a test */

	if (fd < 0)
		return fd;
	int r = root ? act_as(peer) : 0;
	if (r == 0)
		r = connect_to(fd, path);
	int back = root ? act_as_oneself() : 0;
	if (r < 0 || back < 0)
		return r < 0 ? r : back;
	int connected = fd;
	fd = -1;
	return connected;
}

static int try(const char *path, int type)
{
	auto_close int fd = open_socket(type);

	return fd < 0 ? fd : connect_to(fd, path);
}

int socket_type(const char *path)
{
	int r = try(path, SOCK_DGRAM);

	if (r == 0 || r == -EPERM || r == -EAGAIN) /* EPERM: it takes datagrams from one peer alone */
		return SOCK_DGRAM;
	if (r != -EPROTOTYPE)
		return r;
	return try(path, SOCK_SEQPACKET) == -EPROTOTYPE ? SOCK_STREAM : SOCK_SEQPACKET;
}

bool socket_is_gone(const char *path)
{
	return try(path, SOCK_DGRAM) == -ECONNREFUSED;
}
