/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/sockets/guestsockets.h"

#include "common/channel.h"
#include "guest/early.h"
#include "common/files.h"
#include "common/loop.h"
#include "common/tunnel.h"
#include "guest/sockets/guestforwards.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DIRECTORY "sockets" /* in the initramfs, out of the workload's sight */

enum {
	BACKLOG = 4096,   /* the kernel takes net.core.somaxconn of it */
	GROUPS_MAX = 256, /* of a process that connects; of more, none are told */
	OPEN_FIXED = 12,  /* bytes */
};

struct guest_socket {
	struct source source; /* where connections, or datagrams, come in */
	uint8_t type;         /* SOCK_*, 0: none */
	bool full;            /* nothing is taken for now */
};

static struct guest_socket sockets[SOCKETS_MAX];
static bool mounted;

/* Who connects: the server is told so by the kernel, as if there were no VM between. */
static uint32_t put_peer(uint8_t *payload, int fd)
{
	gid_t groups[GROUPS_MAX];
	struct ucred peer = {0};
	socklen_t size = sizeof peer, groups_size = sizeof groups;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	put_u32(payload, peer.uid);
	put_u32(payload + 4, peer.gid);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_size) < 0)
		return 8;
	for (size_t i = 0; i < groups_size / sizeof *groups; i++)
		put_u32(payload + 8 + 4 * i, groups[i]);
	return 8 + (uint32_t)groups_size;
}

static void open_tunnel(struct tunnel *tunnel, const struct guest_socket *socket, int fd)
{
	uint8_t payload[OPEN_FIXED + 4 * GROUPS_MAX] = {0};
	uint32_t number = (uint32_t)(socket - sockets), size = OPEN_FIXED;

	put_u32(payload, number);
	if (socket->type != SOCK_DGRAM)
		size = 4 + put_peer(payload + 4, fd);
	channel_send(FRAME_SOCKET_OPEN, tunnel_stream(tunnel), payload, size);
	tunnel_begin(tunnel, socket->type, number);
	tunnel->deaf = socket->type == SOCK_DGRAM;
	tunnel_connect(tunnel, fd);
}

/* All datagrams of a socket go one way, as one connection; others wait in it until there is a place. */
static void listener_ready(struct source *source, uint32_t events)
{
	struct guest_socket *socket = container_of(source, struct guest_socket, source);
	bool datagrams = socket->type == SOCK_DGRAM;

	(void)events;
	while (source->fd >= 0) {
		struct tunnel *tunnel = channel_has_room() ? tunnel_place(socket->type) : NULL;
		int fd = -1;
		if (tunnel)
			fd = datagrams ? fcntl(source->fd, F_DUPFD_CLOEXEC, 3)
				       : accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && errno == EAGAIN && tunnel)
			return;
		if (fd >= 0)
			open_tunnel(tunnel, socket, fd);
		if (fd < 0 || datagrams) {
			socket->full = true;
			loop_set(source, 0);
			return;
		}
	}
}

static void listen_again(void)
{
	for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
		struct guest_socket *socket = &sockets[i];
		if (!socket->full || (socket->type == SOCK_DGRAM && tunnel_is_open(i)))
			continue;
		socket->full = false;
		loop_set(&socket->source, EPOLLIN);
	}
}

static void connection_ended(uint32_t socket)
{
	(void)socket; /* that a program of the guest has closed it says nothing of the real socket */
}

static const struct tunnel_owner owner = {connection_ended, listen_again};

/* A socket whose other end is gone stays in its directory, as the real one does: nobody can connect to it. */
static int make_socket(struct guest_socket *place, const struct socket_record *record, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int yes = 1;
	auto_close int fd = -1;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	fd = socket(AF_UNIX, record->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    chown(path, record->uid, record->gid) < 0 || chmod(path, record->mode) < 0)
		return -errno;
	if (record->gone)
		return 0;
	if (record->type == SOCK_DGRAM ? setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0
				       : listen(fd, BACKLOG) < 0)
		return -errno;
	int r = loop_add(&place->source, fd, EPOLLIN, listener_ready);
	place->type = record->type;
	fd = -1;
	return r;
}

static int make_directory(void)
{
	if (mounted)
		return 0;
	tunnels_open(&owner);
	if ((mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST) ||
	    mount("tmpfs", DIRECTORY, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=64k") < 0)
		return -errno;
	mounted = true;
	return 0;
}

static int find_record(const struct container *container, unsigned long number, struct socket_record *socket)
{
	struct record record;
	size_t at = 0;

	while (container_next(container, RECORD_SOCKET, &at, &record))
		if (socket_parse(&record, socket) == 0 && socket->number == number)
			return 0;
	return -ENOENT;
}

int guest_socket_mount(const struct container *container, const char *number, const char *target)
{
	struct socket_record record;
	char path[sizeof DIRECTORY + 16], *end;
	unsigned long n = strtoul(number, &end, 10);

	if (*end != '\0' || n >= SOCKETS_MAX || sockets[n].type != 0)
		return -EINVAL;
	int r = find_record(container, n, &record);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, DIRECTORY "/%lu", n);
	r = make_directory();
	if (r == 0)
		r = make_socket(&sockets[n], &record, path);
	if (r == 0 && mount(path, target, NULL, MS_BIND, NULL) < 0)
		r = -errno;
	return r;
}

static int take_gone(const struct frame *frame)
{
	uint32_t number = frame->length == 4 ? get_u32(frame->payload) : SOCKETS_MAX;

	if (frame->stream != 0 || number >= SOCKETS_MAX || sockets[number].type == 0)
		return -EPROTO;
	loop_close(&sockets[number].source);
	sockets[number].full = false;
	return 0;
}

int guest_sockets_frame(const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_SOCKET_GONE:
		return take_gone(frame);
	case FRAME_FORWARD_OPEN:
		tunnels_open(&owner);
		return guest_forward_open(frame);
	default:
		return tunnels_frame(frame);
	}
}

void guest_sockets_room(void)
{
	tunnels_room();
	listen_again();
}

static bool waits(const struct guest_socket *socket)
{
	struct pollfd look = {.fd = socket->source.fd, .events = POLLIN};

	return socket->type != 0 && look.fd >= 0 && poll(&look, 1, 0) > 0;
}

bool guest_sockets_drained(void)
{
	bool drained = true;

	if (!mounted)
		return true;
	for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
		if (waits(&sockets[i])) {
			drained = false;
			continue;
		}
		/* a connection ends with its program, datagrams have no end */
		if (sockets[i].type == SOCK_DGRAM)
			tunnel_finish(i);
		drained = drained && !tunnel_is_open(i);
	}
	return drained;
}

void guest_sockets_end(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i].type != 0)
			loop_close(&sockets[i].source);
	tunnels_end();
}
