/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-forward: passes what connects to localhost in a pod's network namespace on to the guest, whose server may be there. dkvm-init
 * starts it at the first connection, without arguments, with open:
 *
 *     3       the monitor, to which frames go: protocol/PROTOCOL.md, "Forwarded connections"
 *     4, 5    sockets that listen: one of IPv4, one of IPv6; where the host has no such, something else
 *     6       what leads connections to them, as long as somebody has it open: native/host/keep/forward.h
 *
 * It ends with the monitor's connection, and makes no socket of its own: it connects to nothing.
 */
#include "common/channel.h"
#include "common/confine.h"
#include "common/loop.h"
#include "common/tunnel.h"
#include "sandbox/serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MONITOR = 3, FIRST_LISTENER = 4, LISTENERS = 2, RETRY_MILLIS = 100 };

union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

static struct source listeners[LISTENERS] = {{.fd = -1}, {.fd = -1}};
static bool full; /* nothing is taken for now */

/* Where the client wanted to go. false: that can not be. */
static bool put_address(uint8_t payload[static FORWARD_SIZE], int fd)
{
	union address address = {0};
	socklen_t size = sizeof address;

	if (getsockname(fd, &address.any, &size) < 0)
		return false;
	switch (address.any.sa_family) {
	case AF_INET:
		payload[0] = FORWARD_IPV4;
		memcpy(payload + FORWARD_PORT, &address.ipv4.sin_port, sizeof address.ipv4.sin_port);
		memcpy(payload + FORWARD_ADDRESS, &address.ipv4.sin_addr, sizeof address.ipv4.sin_addr);
		return true;
	case AF_INET6:
		payload[0] = FORWARD_IPV6;
		memcpy(payload + FORWARD_PORT, &address.ipv6.sin6_port, sizeof address.ipv6.sin6_port);
		memcpy(payload + FORWARD_ADDRESS, &address.ipv6.sin6_addr, sizeof address.ipv6.sin6_addr);
		return true;
	default:
		return false;
	}
}

static void take_connection(struct tunnel *tunnel, int fd)
{
	uint8_t payload[FORWARD_SIZE] = {0};
	const int yes = 1;

	tunnel_begin(tunnel, SOCK_STREAM, 0);
	tunnel->network = true;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (!put_address(payload, fd))
		serve_die("a connection", errno);
	channel_send(FRAME_FORWARD_OPEN, tunnel_stream(tunnel), payload, sizeof payload);
	tunnel_connect(tunnel, fd);
}

static void set_listeners(uint32_t events)
{
	full = events == 0;
	for (int i = 0; i < LISTENERS; i++)
		loop_set(&listeners[i], events);
}

/* Others wait in the socket until there is a place. */
static void listener_ready(struct source *source, uint32_t events)
{
	(void)events;
	for (;;) {
		struct tunnel *tunnel = channel_has_room() ? tunnel_forward_place(0) : NULL;
		int fd = tunnel ? accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;

		if (fd >= 0) {
			take_connection(tunnel, fd);
			continue;
		}
		if (!tunnel || (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR))
			set_listeners(0);
		return;
	}
}

static void listen_again(void)
{
	if (full)
		set_listeners(EPOLLIN);
}

static void connection_ended(uint32_t socket)
{
	(void)socket;
}

static int take_frame(const struct frame *frame)
{
	return frame->stream > TUNNELS_MAX ? tunnels_frame(frame) : -EPROTO;
}

static void room(void)
{
	tunnels_room();
	listen_again();
}

/* Without a descriptor or memory for one more, nobody tells when there is. */
static int tick(void)
{
	static bool waited;

	if (full && waited)
		listen_again();
	waited = full;
	return full ? RETRY_MILLIS : -1;
}

/* Returns whether there is any. */
static bool open_listeners(void)
{
	bool any = false;

	for (int i = 0; i < LISTENERS; i++) {
		int listens = 0;
		socklen_t size = sizeof listens;

		if (getsockopt(FIRST_LISTENER + i, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens)
			continue;
		/* runc, a program in Go, has them block again */
		if (fcntl(FIRST_LISTENER + i, F_SETFL, O_NONBLOCK) < 0)
			serve_die("a listener", errno);
		int r = loop_add(&listeners[i], FIRST_LISTENER + i, EPOLLIN, listener_ready);
		if (r < 0)
			serve_die("a listener", r);
		any = true;
	}
	return any;
}

int main(void)
{
	static const struct service service = {"forwarded connections", take_frame, room, tick};
	static const struct tunnel_owner owner = {connection_ended, listen_again};

	serve_begin();
	tunnels_open(&owner);
	int r = loop_open();
	if (r < 0)
		serve_die("loop", r);
	serve_on(&service, MONITOR);
	if (!open_listeners())
		serve_die("what listens", EBADF);
	r = confine_to_open_sockets();
	if (r < 0)
		serve_die("seccomp", r);
	serve(&service);
}
