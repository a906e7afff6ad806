/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/dns.h"

#include "common/channel.h"
#include "common/clock.h"
#include "guest/network/dnsmessage.h"
#include "common/files.h"
#include "guest/log.h"
#include "common/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER "127.0.0.11"

enum {
	QUERIES_MAX = 512,
	QUERY_MILLIS = 20000,
	CONNECTIONS_MAX = 64,
	SERVERS_MAX = 3, /* of which libc asks no more */
	IDLE_MILLIS = 30000,
	RESOLV_SIZE = 64 * 1024,
	TRANSPORT_UDP = 0,
	TRANSPORT_TCP = 1,
};

struct connection {
	struct source source;
	uint32_t generation; /* tells an answer for a connection that was closed since */
	int64_t deadline;
	size_t in_size, out_start, out_size;
	uint8_t in[DNS_TCP_MAX], out[DNS_TCP_MAX];
};

struct query {
	uint32_t id; /* the stream on the channel: its place and a number above it; 0: free */
	int64_t deadline;
	struct sockaddr_in from;       /* UDP */
	const struct source *at;       /* UDP: the socket that it came to */
	struct connection *connection; /* TCP, else NULL */
	uint32_t generation;
};

static struct source udp[SERVERS_MAX], tcp[SERVERS_MAX];
static struct in_addr servers[SERVERS_MAX];
static int open_servers;
static struct query queries[QUERIES_MAX];
static struct connection connections[CONNECTIONS_MAX];
static int open_queries, open_connections;

static struct query *new_query(void)
{
	static uint32_t number;

	for (uint32_t i = 0; i < QUERIES_MAX; i++) {
		if (queries[i].id != 0)
			continue;
		number = (number + 1) & 0x3FFFFF;
		queries[i] =
			(struct query){.id = (number + 1) * QUERIES_MAX + i, .deadline = now_millis() + QUERY_MILLIS};
		open_queries++;
		return &queries[i];
	}
	return NULL;
}

static void forget(struct query *query)
{
	query->id = 0;
	open_queries--;
}

/* Queries beyond the bound, or while the channel is full, are dropped: resolvers ask again. */
static struct query *ask(uint8_t transport, struct span message)
{
	static uint8_t payload[1 + DNS_MAX];
	struct query *query = message.size >= DNS_MIN && channel_has_room() ? new_query() : NULL;

	if (!query)
		return NULL;
	payload[0] = transport;
	memcpy(payload + 1, message.data, message.size);
	if (channel_send(FRAME_DNS_QUERY, query->id, payload, (uint32_t)(1 + message.size)) < 0) {
		forget(query);
		return NULL;
	}
	return query;
}

static void udp_ready(struct source *source, uint32_t events)
{
	static uint8_t message[DNS_MAX];
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	ssize_t n;

	(void)events;
	while ((n = recvfrom(source->fd, message, sizeof message, 0, (struct sockaddr *)&from, &size)) >= 0) {
		struct query *query = ask(TRANSPORT_UDP, (struct span){message, (size_t)n});
		if (query) {
			query->from = from;
			query->at = source;
		}
		size = sizeof from;
	}
}

static void hang_up(struct connection *connection)
{
	loop_close(&connection->source);
	connection->generation++;
	open_connections--;
}

static void connection_update(struct connection *connection)
{
	uint32_t events = connection->in_size < sizeof connection->in ? EPOLLIN : 0;

	loop_set(&connection->source, events | (connection->out_size > 0 ? EPOLLOUT : 0));
}

static void connection_flush(struct connection *connection)
{
	while (connection->out_size > 0) {
		ssize_t n = send(connection->source.fd, connection->out + connection->out_start, connection->out_size,
				 MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			hang_up(connection);
		if (n < 0)
			return;
		connection->out_start += (size_t)n;
		connection->out_size -= (size_t)n;
	}
	connection->out_start = 0;
}

static int take_queries(struct connection *connection)
{
	struct span message;
	size_t at = 0;
	long n;

	while ((n = dns_tcp_take(connection->in + at, connection->in_size - at, &message)) > 0) {
		struct query *query = ask(TRANSPORT_TCP, message);
		if (query) {
			query->connection = connection;
			query->generation = connection->generation;
		}
		at += (size_t)n;
	}
	memmove(connection->in, connection->in + at, connection->in_size - at);
	connection->in_size -= at;
	return (int)n;
}

static void connection_ready(struct source *source, uint32_t events)
{
	struct connection *connection = container_of(source, struct connection, source);

	if (events & EPOLLOUT)
		connection_flush(connection);
	if (source->fd < 0)
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ssize_t n = recv(source->fd, connection->in + connection->in_size,
				 sizeof connection->in - connection->in_size, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			hang_up(connection);
			return;
		}
		connection->in_size += n > 0 ? (size_t)n : 0;
		connection->deadline = now_millis() + IDLE_MILLIS;
		if (take_queries(connection) < 0) {
			hang_up(connection);
			return;
		}
	}
	connection_update(connection);
}

static void tcp_ready(struct source *source, uint32_t events)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &connections[i];
		if (connection->source.ready && connection->source.fd >= 0)
			continue;
		connection->in_size = connection->out_start = connection->out_size = 0;
		connection->deadline = now_millis() + IDLE_MILLIS;
		open_connections++;
		loop_add(&connection->source, fd, EPOLLIN, connection_ready);
		return;
	}
	close(fd);
}

static void answer_tcp(const struct query *query, const struct frame *frame)
{
	struct connection *connection = query->connection;

	if (connection->source.fd < 0 || connection->generation != query->generation)
		return;
	size_t end = connection->out_start + connection->out_size;
	if (end + 2 + frame->length > sizeof connection->out) {
		hang_up(connection); /* it asks and does not read */
		return;
	}
	connection->out[end] = (uint8_t)(frame->length >> 8);
	connection->out[end + 1] = (uint8_t)frame->length;
	memcpy(connection->out + end + 2, frame->payload, frame->length);
	connection->out_size += 2 + frame->length;
	connection_flush(connection);
	connection_update(connection);
}

void dns_answer(const struct frame *frame)
{
	struct query *query = &queries[frame->stream % QUERIES_MAX];

	if (frame->stream == 0 || query->id != frame->stream)
		return; /* it came too late */
	if (frame->length >= DNS_MIN && frame->length <= DNS_MAX) {
		if (query->connection)
			answer_tcp(query, frame);
		else
			sendto(query->at->fd, frame->payload, frame->length, MSG_DONTWAIT,
			       (struct sockaddr *)&query->from, sizeof query->from);
	}
	forget(query);
}

static int64_t sooner(int64_t left, int64_t next)
{
	return next < 0 || left < next ? left : next;
}

int dns_tick(void)
{
	int64_t next = -1;

	if (open_queries == 0 && open_connections == 0)
		return -1;
	int64_t now = now_millis();
	for (int i = 0; i < QUERIES_MAX; i++) {
		if (queries[i].id == 0)
			continue;
		if (queries[i].deadline <= now)
			forget(&queries[i]);
		else
			next = sooner(queries[i].deadline - now, next);
	}
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &connections[i];
		if (!connection->source.ready || connection->source.fd < 0)
			continue;
		if (connection->deadline <= now)
			hang_up(connection);
		else
			next = sooner(connection->deadline - now, next);
	}
	return (int)next;
}

static int listen_on(struct source *source, struct in_addr server, int type, void (*ready)(struct source *, uint32_t))
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = server};
	const int yes = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) < 0)) {
		int error = errno;
		close(fd);
		return -error;
	}
	return loop_add(source, fd, EPOLLIN, ready);
}

static bool is_open(struct in_addr server)
{
	for (int i = 0; i < open_servers; i++)
		if (servers[i].s_addr == server.s_addr)
			return true;
	return false;
}

static int open_server(struct in_addr server)
{
	if (open_servers == SERVERS_MAX || is_open(server))
		return 0;
	int r = listen_on(&udp[open_servers], server, SOCK_DGRAM, udp_ready);
	if (r == 0)
		r = listen_on(&tcp[open_servers], server, SOCK_STREAM, tcp_ready);
	if (r < 0)
		loop_close(&udp[open_servers]); /* both or none: it may be tried again */
	else
		servers[open_servers++] = server;
	return r;
}

/* An address of the loopback that is a name server: the engine's, and in a namespace of others any. */
static bool is_relayed(struct span name, bool shared, struct in_addr *server)
{
	char text[INET_ADDRSTRLEN];

	if (span_copy(name, text, sizeof text) < 0 || inet_pton(AF_INET, text, server) != 1)
		return false;
	return shared ? ntohl(server->s_addr) >> 24 == IN_LOOPBACKNET : strcmp(text, SERVER) == 0;
}

int dns_open(bool shared_network, struct failure *error)
{
	static char text[RESOLV_SIZE];
	const char *rest = text;
	struct span name;
	struct in_addr server;
	char why[64];

	if (open_servers > 0 || read_text(AT_FDCWD, "/etc/resolv.conf", text, sizeof text) < 0)
		return 0;
	while (resolv_next(&rest, &name)) {
		if (!is_relayed(name, shared_network, &server))
			continue;
		int r = open_server(server);
		if (r < 0)
			return fail(error, r, "name server %s can not listen: %s", inet_ntoa(server),
				    error_text(r, why));
	}
	/* all of them stand for the first */
	if (shared_network && open_servers > 0)
		channel_send(FRAME_RESOLVER, 0, &servers[0], sizeof servers[0]);
	return 0;
}
