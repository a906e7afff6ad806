/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/rtmessage.h"

#include "common/rtnetlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum {
	REQUEST_SIZE = 49152, /* bytes: the longest filter of guard.c and what is around it */
	ANSWER_SIZE = 65536,  /* bytes: an error's answer holds the request, too */
	LIST_TRIES = 16,
};

static int requests = -1;
static uint32_t sequence;
static _Alignas(struct nlmsghdr) uint8_t request[REQUEST_SIZE];
static _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_SIZE];

int rtmessage_open(void)
{
	requests = rtnetlink_open(0, 0);
	return requests < 0 ? requests : 0;
}

static struct nlmsghdr *header(void)
{
	return (struct nlmsghdr *)(void *)request;
}

void *rtmessage_begin(uint16_t type, uint16_t flags, size_t size)
{
	memset(request, 0, NLMSG_SPACE(size));
	header()->nlmsg_len = (uint32_t)NLMSG_SPACE(size);
	header()->nlmsg_type = type;
	header()->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	header()->nlmsg_seq = ++sequence;
	return NLMSG_DATA(header());
}

void rtmessage_put(uint16_t type, const void *value, size_t size)
{
	size_t at = header()->nlmsg_len;
	struct rtattr *attribute = (struct rtattr *)(void *)(request + at);

	assert(at + RTA_SPACE(size) <= sizeof request);
	memset(attribute, 0, RTA_SPACE(size));
	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size > 0)
		memcpy(RTA_DATA(attribute), value, size);
	header()->nlmsg_len = (uint32_t)(at + RTA_SPACE(size));
}

void rtmessage_put_u32(uint16_t type, uint32_t value)
{
	rtmessage_put(type, &value, sizeof value);
}

void rtmessage_put_text(uint16_t type, const char *text)
{
	rtmessage_put(type, text, strlen(text) + 1);
}

size_t rtmessage_nest(uint16_t type)
{
	size_t at = header()->nlmsg_len;

	rtmessage_put(type, NULL, 0);
	return at;
}

void rtmessage_end(size_t nest)
{
	struct rtattr *attribute = (struct rtattr *)(void *)(request + nest);

	attribute->rta_len = (uint16_t)(header()->nlmsg_len - nest);
}

/* The length of what answers the request, in answer; or -errno. */
static int exchange(void)
{
	if (send(requests, request, header()->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(requests, answer, sizeof answer, 0);
		const struct nlmsghdr *got = (const struct nlmsghdr *)(void *)answer;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof *got || got->nlmsg_len < sizeof *got || got->nlmsg_len > (size_t)n)
			return -EBADMSG;
		/* the acknowledgement of a request before this one, which was answered by a message */
		if (got->nlmsg_seq != sequence)
			continue;
		return (int)got->nlmsg_len;
	}
}

static int error_of(int length)
{
	const struct nlmsghdr *got = (const struct nlmsghdr *)(void *)answer;

	if (length < 0)
		return length;
	if (got->nlmsg_type != NLMSG_ERROR)
		return 0;
	if ((size_t)length < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EBADMSG;
	return ((const struct nlmsgerr *)NLMSG_DATA(got))->error;
}

int rtmessage_send(void)
{
	return error_of(exchange());
}

int rtmessage_ask(void *copy, size_t size)
{
	int length = exchange();
	int error = error_of(length);

	if (error < 0)
		return error;
	if ((size_t)length > size)
		return -EMSGSIZE;
	memcpy(copy, answer, (size_t)length);
	return length;
}

/* Hear what came; 1: that was the last of it. */
static int hear(size_t size, const struct rtmessage_listener *listener, bool *changed)
{
	const uint8_t *at = answer;

	while (size >= NLMSG_HDRLEN) {
		const struct nlmsghdr *got = (const struct nlmsghdr *)(const void *)at;

		if (got->nlmsg_len < NLMSG_HDRLEN || got->nlmsg_len > size)
			return -EBADMSG;
		size_t body = got->nlmsg_len - NLMSG_HDRLEN, step = NLMSG_ALIGN(got->nlmsg_len);

		if (got->nlmsg_seq == sequence) {
			*changed = *changed || got->nlmsg_flags & NLM_F_DUMP_INTR;
			if (got->nlmsg_type == NLMSG_DONE)
				return 1;
			if (got->nlmsg_type == NLMSG_ERROR)
				return body < sizeof(struct nlmsgerr)
					       ? -EBADMSG
					       : ((const struct nlmsgerr *)NLMSG_DATA(got))->error;
			listener->each(listener->argument, at + NLMSG_HDRLEN, body);
		}
		if (step > size)
			return 0;
		at += step;
		size -= step;
	}
	return 0;
}

static int list_once(const struct rtmessage_listener *listener, bool *changed)
{
	int r = 0;

	*changed = false;
	header()->nlmsg_seq = ++sequence;
	listener->begin(listener->argument);
	if (send(requests, request, header()->nlmsg_len, 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(requests, answer, sizeof answer, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			r = hear((size_t)n, listener, changed);
	}
	return r < 0 ? r : 0;
}

int rtmessage_list(const struct rtmessage_listener *listener)
{
	bool changed = true;
	int r = 0;

	header()->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (int i = 0; i < LIST_TRIES && changed && r == 0; i++)
		r = list_once(listener, &changed);
	return r == 0 && changed ? -EAGAIN : r;
}
