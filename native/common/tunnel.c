/* SPDX-License-Identifier: Apache-2.0 */
#include "common/tunnel.h"

#include "common/channel.h"
#include "common/tunnelio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static const struct tunnel_owner *tell;
static struct tunnel table[TUNNELS_MAX + FORWARDS_MAX];

void tunnels_open(const struct tunnel_owner *owner)
{
	tell = owner;
}

uint32_t tunnel_stream(const struct tunnel *tunnel)
{
	return (uint32_t)(tunnel - table) + 1;
}

static bool takes_more(uint8_t type)
{
	int packets = 0;

	if (type == SOCK_STREAM)
		return true;
	for (int i = 0; i < TUNNELS_MAX; i++)
		packets += table[i].type != 0 && table[i].type != SOCK_STREAM;
	return packets < PACKET_TUNNELS_MAX;
}

struct tunnel *tunnel_place(uint8_t type)
{
	if (!takes_more(type))
		return NULL;
	for (int i = 0; i < TUNNELS_MAX; i++)
		if (table[i].type == 0)
			return &table[i];
	return NULL;
}

struct tunnel *tunnel_place_of(uint32_t stream, uint8_t type)
{
	if (stream == 0 || stream > TUNNELS_MAX || table[stream - 1].type != 0)
		return NULL;
	return takes_more(type) ? &table[stream - 1] : NULL;
}

struct tunnel *tunnel_forward_place(uint32_t stream)
{
	for (uint32_t i = TUNNELS_MAX; i < TUNNELS_MAX + FORWARDS_MAX; i++)
		if (table[i].type == 0 && (stream == 0 || stream == i + 1))
			return &table[i];
	return NULL;
}

void tunnel_begin(struct tunnel *tunnel, uint8_t type, uint32_t socket)
{
	*tunnel = (struct tunnel){
		.source.fd = -1, .type = type, .socket = socket, .credit = FRAME_CREDIT, .window.open = FRAME_CREDIT};
}

static void drop_buffers(struct tunnel *tunnel)
{
	free(tunnel->in);
	free(tunnel->out);
	tunnel->in = tunnel->out = NULL;
	tunnel->in_start = tunnel->in_size = tunnel->in_capacity = 0;
	tunnel->out_start = tunnel->out_size = 0;
}

static void release(struct tunnel *tunnel)
{
	tunnel->type = 0;
	tell->freed();
}

/* Closed, the local socket tells its peer of an error, and of no end. */
static void reset(const struct tunnel *tunnel)
{
	const struct linger at_once = {.l_onoff = 1};

	if (tunnel->network && tunnel->source.fd >= 0)
		setsockopt(tunnel->source.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void tunnel_close(struct tunnel *tunnel, int error)
{
	uint8_t payload[4];

	if (error != 0)
		reset(tunnel);
	loop_close(&tunnel->source);
	drop_buffers(tunnel);
	tunnel->connected = false;
	if (!tunnel->closed_here) {
		tunnel->closed_here = true;
		if (!tunnel->closed_there)
			tell->ended(tunnel->socket);
		put_u32(payload, (uint32_t)error);
		channel_send(FRAME_SOCKET_CLOSE, tunnel_stream(tunnel), payload, sizeof payload);
	}
	if (tunnel->closed_there)
		release(tunnel);
}

/* Credit waits where the channel is full: however much a guest sends, what is queued for it stays bounded. */
static void give_credit(struct tunnel *tunnel, uint32_t size)
{
	uint8_t payload[4];

	tunnel->window.owed += size;
	if (tunnel->window.owed < CREDIT_PIECE || tunnel->closed_here || tunnel->closed_there || !channel_has_room())
		return;
	put_u32(payload, tunnel->window.owed);
	channel_send(FRAME_SOCKET_CREDIT, tunnel_stream(tunnel), payload, sizeof payload);
	tunnel->window.open += tunnel->window.owed;
	tunnel->window.owed = 0;
}

/* A message's first part was taken, though it waits for the rest: it may be larger than the credit. */
static void count_handed_on(struct tunnel *tunnel)
{
	uint32_t held = 0;

	if (tunnel->blocked || (!tunnel->connected && !tunnel->deaf))
		held = tunnel->in_size < tunnel->owing ? (uint32_t)tunnel->in_size : tunnel->owing;
	uint32_t given = tunnel->owing - held;
	tunnel->owing = held;
	give_credit(tunnel, given);
}

static void flush(struct tunnel *tunnel)
{
	tunnel->blocked = false;
	while (tunnel->connected && tunnel->in_size > 0 && !tunnel->blocked) {
		long n = tunnel->deaf ? (long)tunnel->in_size : tunnel_write(tunnel);
		if (n == 0 && !tunnel->in_ended && !tunnel->closed_there)
			break;
		if (n == 0) /* the rest of this message never comes */
			n = (long)tunnel->in_size;
		if (n == -EAGAIN) {
			tunnel->blocked = true;
		} else if (tunnel->network && (n == -ECONNRESET || (n == -EPIPE && tunnel->out_ended))) {
			tunnel_close(tunnel, ECONNRESET);
			return;
		} else if (n == -EPIPE || n == -ECONNRESET) {
			tunnel->deaf = true;
		} else if (n < 0) {
			tunnel_close(tunnel, (int)-n);
			return;
		} else {
			tunnel->in_start += (size_t)n;
			tunnel->in_size -= (size_t)n;
		}
	}
	if (tunnel->in_size == 0)
		tunnel->in_start = 0;
	count_handed_on(tunnel);
	if (tunnel->connected && tunnel->in_ended && tunnel->in_size == 0 && !tunnel->shut) {
		tunnel->shut = true;
		shutdown(tunnel->source.fd, SHUT_WR);
	}
}

static bool may_read(const struct tunnel *tunnel)
{
	return tunnel->connected && !tunnel->out_ended && !tunnel->closed_there && tunnel->out_size == 0 &&
	       tunnel->credit > 0 && channel_has_room();
}

/*
 * Close what is over, wait for the rest. EPOLLMSG never comes: who waits for nothing else is told the hang-up, once, as it
 * lasts.
 */
static void settle(struct tunnel *tunnel)
{
	bool in_done = tunnel->in_size == 0 && (tunnel->in_ended || tunnel->closed_there);

	if (tunnel->closed_here)
		return;
	if ((tunnel->closed_there && in_done) || (tunnel->out_ended && (tunnel->hung_up || in_done))) {
		tunnel_close(tunnel, 0);
		return;
	}
	if (!tunnel->connected)
		return;
	uint32_t events = (may_read(tunnel) ? EPOLLIN | EPOLLRDHUP : 0u) | (tunnel->blocked ? EPOLLOUT : 0u);
	loop_set(&tunnel->source, events | (tunnel->hung_up ? 0u : EPOLLMSG));
}

static void local_ready(struct source *source, uint32_t events)
{
	struct tunnel *tunnel = container_of(source, struct tunnel, source);

	if (events & (EPOLLHUP | EPOLLERR))
		tunnel->hung_up = true;
	if (tunnel->blocked)
		flush(tunnel);
	if ((events & ~(uint32_t)EPOLLOUT) && may_read(tunnel)) {
		int r = tunnel_read(tunnel, tunnel_stream(tunnel), events);
		if (r < 0 && r != -EAGAIN)
			tunnel_close(tunnel, -r);
	}
	settle(tunnel);
}

void tunnel_connected(struct tunnel *tunnel)
{
	tunnel->connected = true;
	tunnel->source.ready = local_ready;
	flush(tunnel);
	settle(tunnel);
}

void tunnel_connect(struct tunnel *tunnel, int fd)
{
	int r = loop_add(&tunnel->source, fd, EPOLLMSG, local_ready);

	if (r < 0)
		tunnel_close(tunnel, -r);
	else
		tunnel_connected(tunnel);
}

struct tunnel *tunnel_next_waiting(size_t *at)
{
	while (*at < TUNNELS_MAX) {
		struct tunnel *tunnel = &table[(*at)++];
		if (tunnel->type != 0 && !tunnel->connected && !tunnel->closed_here)
			return tunnel;
	}
	return NULL;
}

bool tunnel_is_open(uint32_t socket)
{
	for (int i = 0; i < TUNNELS_MAX; i++)
		if (table[i].type != 0 && table[i].socket == socket)
			return true;
	return false;
}

void tunnel_finish(uint32_t socket)
{
	for (int i = 0; i < TUNNELS_MAX; i++)
		if (table[i].type != 0 && table[i].socket == socket && !table[i].closed_here && table[i].out_size == 0)
			tunnel_close(&table[i], 0);
}

static int take_data(struct tunnel *tunnel, const struct frame *frame)
{
	if (tunnel->in_ended || tunnel->closed_there || credit_received(&tunnel->window, frame->length) < 0)
		return -EPROTO;
	if (tunnel->closed_here)
		return 0;
	tunnel->in_ended = frame->length == 0;
	tunnel->owing += frame->length;
	int r = tunnel->deaf ? 0 : tunnel_keep(tunnel, frame->payload, frame->length);
	if (r < 0) {
		tunnel_close(tunnel, -r);
		return 0;
	}
	flush(tunnel);
	settle(tunnel);
	return 0;
}

static int take_credit(struct tunnel *tunnel, const struct frame *frame)
{
	if (frame->length != 4 || tunnel->closed_there || get_u32(frame->payload) == 0 ||
	    credit_add(&tunnel->credit, get_u32(frame->payload)) < 0)
		return -EPROTO;
	if (tunnel->closed_here)
		return 0;
	tunnel_send_rest(tunnel, tunnel_stream(tunnel));
	settle(tunnel);
	return 0;
}

static int take_close(struct tunnel *tunnel, const struct frame *frame)
{
	if (frame->length != 4 || tunnel->closed_there)
		return -EPROTO;
	tunnel->closed_there = true;
	if (tunnel->closed_here) {
		release(tunnel);
		return 0;
	}
	if (tunnel->network && get_u32(frame->payload) != 0) {
		tunnel_close(tunnel, ECONNRESET);
		return 0;
	}
	/* who writes on gets EPIPE, as from a socket that is closed; what was sent before is still handed on */
	if (tunnel->connected && tunnel->type != SOCK_DGRAM)
		shutdown(tunnel->source.fd, SHUT_RD);
	flush(tunnel);
	settle(tunnel);
	return 0;
}

int tunnels_frame(const struct frame *frame)
{
	uint32_t streams = TUNNELS_MAX + FORWARDS_MAX;
	struct tunnel *tunnel = &table[(frame->stream - 1) % streams];

	if (frame->stream == 0 || frame->stream > streams || tunnel->type == 0)
		return -EPROTO;
	switch (frame->type) {
	case FRAME_SOCKET_DATA:
		return take_data(tunnel, frame);
	case FRAME_SOCKET_CREDIT:
		return take_credit(tunnel, frame);
	case FRAME_SOCKET_CLOSE:
		return take_close(tunnel, frame);
	default:
		return -EPROTO;
	}
}

void tunnels_room(void)
{
	for (int i = 0; i < TUNNELS_MAX + FORWARDS_MAX; i++) {
		struct tunnel *tunnel = &table[i];
		if (tunnel->type == 0 || tunnel->closed_here)
			continue;
		give_credit(tunnel, 0);
		tunnel_send_rest(tunnel, tunnel_stream(tunnel));
		settle(tunnel);
	}
}

void tunnels_end(void)
{
	for (int i = 0; i < TUNNELS_MAX + FORWARDS_MAX; i++) {
		if (table[i].type == 0)
			continue;
		loop_close(&table[i].source);
		drop_buffers(&table[i]);
		table[i].type = 0;
	}
}
