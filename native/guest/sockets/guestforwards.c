/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/sockets/guestforwards.h"

#include "common/loop.h"
#include "common/tunnel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NO_SOCKET = UINT32_MAX }; /* of the container's */

union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/* By place: localhost of the other family is still to be tried. */
static bool may_retry[FORWARDS_MAX];
static in_port_t ports[FORWARDS_MAX];

static uint32_t place_of(const struct tunnel *tunnel)
{
	return tunnel_stream(tunnel) - TUNNELS_MAX - 1;
}

static socklen_t size_of(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof address->ipv4 : sizeof address->ipv6;
}

static bool is_loopback(const union address *address)
{
	return address->any.sa_family == AF_INET ? ntohl(address->ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
						 : IN6_IS_ADDR_LOOPBACK(&address->ipv6.sin6_addr);
}

/* A name that a client of the host may have looked up: it stands for both families. */
static bool is_localhost(const union address *address)
{
	return address->any.sa_family == AF_INET6 || ntohl(address->ipv4.sin_addr.s_addr) == INADDR_LOOPBACK;
}

static void localhost(union address *address, sa_family_t family, in_port_t port)
{
	memset(address, 0, sizeof *address);
	if (family == AF_INET)
		address->ipv4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	else
		address->ipv6 = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
}

/* An address that is not the loopback's has to be ours, as it is on the host: nothing is connected to that is somewhere else. */
static int own(int fd, const union address *address)
{
	union address from = *address;

	if (is_loopback(address))
		return 0;
	if (from.any.sa_family == AF_INET)
		from.ipv4.sin_port = 0;
	else
		from.ipv6.sin6_port = 0;
	return bind(fd, &from.any, size_of(&from)) < 0 ? -errno : 0;
}

/* Returns the descriptor of a connection that is being made, or -errno. */
static int begin(const union address *address)
{
	const int yes = 1;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : own(fd, address);

	if (r == 0 && connect(fd, &address->any, size_of(address)) < 0 && errno != EINPROGRESS)
		r = -errno;
	if (r == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return r;
}

static void try_to_connect(struct tunnel *tunnel, const union address *address);

/* Who looks up localhost tries IPv6 where IPv4 is refused, and never sees a refusal: its connection has been accepted on the host. */
static void failed(struct tunnel *tunnel, int error, sa_family_t family)
{
	uint32_t place = place_of(tunnel);
	union address other;

	if (error != ECONNREFUSED || !may_retry[place]) {
		tunnel_close(tunnel, error);
		return;
	}
	may_retry[place] = false;
	loop_close(&tunnel->source);
	localhost(&other, family == AF_INET ? AF_INET6 : AF_INET, ports[place]);
	try_to_connect(tunnel, &other);
}

static void connection_ready(struct source *source, uint32_t events)
{
	struct tunnel *tunnel = container_of(source, struct tunnel, source);
	int error = 0, family = AF_INET;
	socklen_t size = sizeof error, family_size = sizeof family;

	(void)events;
	getsockopt(source->fd, SOL_SOCKET, SO_DOMAIN, &family, &family_size);
	if (getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error)
		failed(tunnel, error, (sa_family_t)family);
	else
		tunnel_connected(tunnel);
}

static void try_to_connect(struct tunnel *tunnel, const union address *address)
{
	int fd = begin(address);

	if (fd < 0) {
		failed(tunnel, -fd, address->any.sa_family);
		return;
	}
	int r = loop_add(&tunnel->source, fd, EPOLLOUT, connection_ready);

	if (r < 0)
		tunnel_close(tunnel, -r);
}

static bool read_address(union address *address, const uint8_t *payload)
{
	in_port_t port;

	memcpy(&port, payload + FORWARD_PORT, sizeof port);
	memset(address, 0, sizeof *address);
	switch (payload[0]) {
	case FORWARD_IPV4:
		address->ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
		memcpy(&address->ipv4.sin_addr, payload + FORWARD_ADDRESS, sizeof address->ipv4.sin_addr);
		return port != 0;
	case FORWARD_IPV6:
		address->ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
		memcpy(&address->ipv6.sin6_addr, payload + FORWARD_ADDRESS, sizeof address->ipv6.sin6_addr);
		return port != 0;
	default:
		return false;
	}
}

int guest_forward_open(const struct frame *frame)
{
	union address address;
	struct tunnel *tunnel = frame->stream > TUNNELS_MAX ? tunnel_forward_place(frame->stream) : NULL;

	if (frame->length != FORWARD_SIZE || !tunnel)
		return -EPROTO;
	tunnel_begin(tunnel, SOCK_STREAM, NO_SOCKET);
	tunnel->network = true;
	/* of a client, or of one of the sandbox's processes: no matter for the whole pod */
	if (!read_address(&address, frame->payload)) {
		tunnel_close(tunnel, EINVAL);
		return 0;
	}
	may_retry[place_of(tunnel)] = is_loopback(&address) && is_localhost(&address);
	ports[place_of(tunnel)] = address.any.sa_family == AF_INET ? address.ipv4.sin_port : address.ipv6.sin6_port;
	try_to_connect(tunnel, &address);
	return 0;
}
