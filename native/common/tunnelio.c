/* SPDX-License-Identifier: Apache-2.0 */
#include "common/tunnelio.h"

#include "common/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEADER_MAX = TUNNEL_HEADER_DATAGRAM,
	KEPT_MAX = HEADER_MAX + TUNNEL_MESSAGE_MAX + FRAME_CREDIT, /* bytes: a message, and the credit behind it */
	FIRST_CAPACITY = 4096,
};

union credentials {
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr align;
};

static size_t header_of(const struct tunnel *tunnel)
{
	return tunnel->type == SOCK_DGRAM ? TUNNEL_HEADER_DATAGRAM : TUNNEL_HEADER_SEQPACKET;
}

int tunnel_keep(struct tunnel *tunnel, const uint8_t *bytes, size_t size)
{
	size_t most = tunnel->type == SOCK_STREAM ? (size_t)FRAME_CREDIT : (size_t)KEPT_MAX;
	size_t needed = tunnel->in_size + size;

	if (size == 0)
		return 0;
	if (needed > most)
		return -ENOBUFS;
	if (tunnel->in_start > 0) {
		memmove(tunnel->in, tunnel->in + tunnel->in_start, tunnel->in_size);
		tunnel->in_start = 0;
	}
	if (needed > tunnel->in_capacity) {
		size_t capacity = needed < FIRST_CAPACITY ? FIRST_CAPACITY : needed * 2;
		capacity = capacity < most ? capacity : most;
		uint8_t *more = realloc(tunnel->in, capacity);
		if (!more)
			return -ENOMEM;
		tunnel->in = more;
		tunnel->in_capacity = capacity;
	}
	memcpy(tunnel->in + tunnel->in_size, bytes, size);
	tunnel->in_size = needed;
	return 0;
}

/* The sender's uid and gid as the guest's kernel knows them; the process is this one, no other can be named. */
static ssize_t send_datagram(int fd, const uint8_t *header, size_t length)
{
	union credentials control = {0};
	const struct ucred sender = {.pid = getpid(), .uid = get_u32(header + 4), .gid = get_u32(header + 8)};
	struct iovec part = {(void *)(uintptr_t)(header + TUNNEL_HEADER_DATAGRAM), length};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *first = CMSG_FIRSTHDR(&message);

	first->cmsg_level = SOL_SOCKET;
	first->cmsg_type = SCM_CREDENTIALS;
	first->cmsg_len = CMSG_LEN(sizeof sender);
	memcpy(CMSG_DATA(first), &sender, sizeof sender);
	ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == EPERM)
		n = send(fd, header + TUNNEL_HEADER_DATAGRAM, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n;
}

static long write_message(const struct tunnel *tunnel)
{
	const uint8_t *header = tunnel->in + tunnel->in_start;
	size_t size = header_of(tunnel);

	if (tunnel->in_size < size)
		return 0;
	size_t length = get_u32(header);
	if (length > TUNNEL_MESSAGE_MAX)
		return -EPROTO;
	if (tunnel->in_size < size + length)
		return 0;
	ssize_t n = tunnel->type == SOCK_DGRAM
			    ? send_datagram(tunnel->source.fd, header, length)
			    : send(tunnel->source.fd, header + size, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == EINTR)
		return -EAGAIN;
	/* a datagram that can not be delivered is lost, and no other with it */
	if (n < 0 && (tunnel->type != SOCK_DGRAM || errno == EAGAIN || errno == ECONNREFUSED))
		return -errno;
	return (long)(size + length);
}

long tunnel_write(struct tunnel *tunnel)
{
	if (tunnel->type != SOCK_STREAM)
		return write_message(tunnel);
	ssize_t n =
		send(tunnel->source.fd, tunnel->in + tunnel->in_start, tunnel->in_size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return n;
}

static void send_end(struct tunnel *tunnel, uint32_t stream)
{
	tunnel->out_ended = true;
	channel_send(FRAME_SOCKET_DATA, stream, NULL, 0);
}

static int read_stream(struct tunnel *tunnel, uint32_t stream)
{
	size_t size = tunnel->credit < CHANNEL_DATA_FRAME ? tunnel->credit : CHANNEL_DATA_FRAME;
	ssize_t n = recv(tunnel->source.fd, channel_begin(), size, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0) {
		send_end(tunnel, stream);
		return 0;
	}
	channel_commit(FRAME_SOCKET_DATA, stream, (uint32_t)n);
	tunnel->credit -= (uint32_t)n;
	return 0;
}

/* Send as much as credit and room allow. Returns its size. */
static size_t send_some(struct tunnel *tunnel, uint32_t stream, const uint8_t *bytes, size_t size)
{
	size_t sent = 0;

	while (sent < size && tunnel->credit > 0 && channel_has_room()) {
		size_t piece = size - sent < CHANNEL_DATA_FRAME ? size - sent : CHANNEL_DATA_FRAME;
		piece = piece < tunnel->credit ? piece : tunnel->credit;
		memcpy(channel_begin(), bytes + sent, piece);
		channel_commit(FRAME_SOCKET_DATA, stream, (uint32_t)piece);
		tunnel->credit -= (uint32_t)piece;
		sent += piece;
	}
	return sent;
}

void tunnel_send_rest(struct tunnel *tunnel, uint32_t stream)
{
	if (tunnel->out_size == 0)
		return;
	size_t n = send_some(tunnel, stream, tunnel->out + tunnel->out_start, tunnel->out_size);
	tunnel->out_start += n;
	tunnel->out_size -= n;
	if (tunnel->out_size == 0) {
		free(tunnel->out);
		tunnel->out = NULL;
		tunnel->out_start = 0;
	}
}

static void put_sender(uint8_t *header, struct msghdr *message)
{
	struct ucred sender = {0};
	struct cmsghdr *first = CMSG_FIRSTHDR(message);

	if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_CREDENTIALS)
		memcpy(&sender, CMSG_DATA(first), sizeof sender);
	put_u32(header + 4, sender.uid);
	put_u32(header + 8, sender.gid);
}

static int read_message(struct tunnel *tunnel, uint32_t stream, uint32_t events)
{
	static uint8_t bytes[HEADER_MAX + TUNNEL_MESSAGE_MAX];
	size_t header = header_of(tunnel);
	union credentials control;
	struct iovec part = {bytes + header, TUNNEL_MESSAGE_MAX};
	/* the sender's credentials come first and fill it: descriptors that somebody passes find no room and are closed */
	bool named = tunnel->type == SOCK_DGRAM;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = named ? &control : NULL,
				 .msg_controllen = named ? sizeof control : 0};
	ssize_t n = recvmsg(tunnel->source.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0 && tunnel->type == SOCK_SEQPACKET && (events & (EPOLLRDHUP | EPOLLHUP))) {
		send_end(tunnel, stream);
		return 0;
	}
	if (message.msg_flags & MSG_TRUNC)
		return tunnel->type == SOCK_DGRAM ? 0 : -EMSGSIZE;
	put_u32(bytes, (uint32_t)n);
	if (tunnel->type == SOCK_DGRAM)
		put_sender(bytes, &message);
	size_t size = header + (size_t)n, sent = send_some(tunnel, stream, bytes, size);
	if (sent == size)
		return 0;
	tunnel->out = malloc(size - sent);
	if (!tunnel->out)
		return -ENOMEM;
	memcpy(tunnel->out, bytes + sent, size - sent);
	tunnel->out_size = size - sent;
	return 0;
}

int tunnel_read(struct tunnel *tunnel, uint32_t stream, uint32_t events)
{
	return tunnel->type == SOCK_STREAM ? read_stream(tunnel, stream) : read_message(tunnel, stream, events);
}
