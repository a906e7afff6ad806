/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of rtnetlink(7): attributes found, changes that matter, the link with a MAC. The kernel is trusted not to lie, but what
 * is read has to lie within what came.
 */
#include "fuzz.h"

#include "common/rtnetlink.h"
#include "guest/network/netlink.h"
#include "sandbox/network/watch.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_MAX = 32 * 1024 };

static const uint8_t mac[6] = {2, 0x42, 0xAC, 0x11, 0, 2};
static int kernel = -1; /* the other end of the socket that requests go to */
static uint32_t requested;

/* In the place of the one in common/ (--wrap): the kernel is this program. */
int __wrap_rtnetlink_open(int flags, uint32_t groups);

int __wrap_rtnetlink_open(int flags, uint32_t groups)
{
	int pair[2];

	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, pair) == 0);
	if (groups == 0)
		kernel = pair[1];
	else
		close(pair[1]);
	return pair[0];
}

static void attributes(const uint8_t *bytes, size_t size)
{
	for (unsigned short type = 0; type < 64; type++) {
		const struct rtattr *found = rtnetlink_attribute(bytes, size, type);

		HOLDS(!found || lies_within(found, found->rta_len, bytes, size));
		HOLDS(!found || (found->rta_len >= sizeof *found && (found->rta_type & NLA_TYPE_MASK) == type));
	}
}

static void answer(const uint8_t *bytes, size_t size)
{
	struct nlmsghdr done = {.nlmsg_len = sizeof done, .nlmsg_type = NLMSG_DONE, .nlmsg_seq = ++requested};
	struct link link;

	HOLDS(netlink_open() == 0);
	HOLDS(send(kernel, bytes, size, 0) == (ssize_t)size && send(kernel, &done, sizeof done, 0) == sizeof done);
	memset(&link, 'x', sizeof link);
	if (netlink_find(mac, &link) == 0)
		HOLDS(memchr(link.name, '\0', sizeof link.name));
	netlink_close();
	close(kernel);
}

/* What the kernel always gets right, so that more than the first check is reached: the sequence number and the lengths. */
static void mend(uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= size;) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)(bytes + at);
		uint32_t length = header->nlmsg_len % 512;

		if (length < sizeof *header || length > size - at)
			length = (uint32_t)(size - at);
		header->nlmsg_len = length;
		header->nlmsg_seq = requested + 1;
		at += NLMSG_ALIGN(length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	bool mended = take_u8(&in) & 1;
	size_t count;
	uint8_t *bytes = take_copy(&in, MESSAGES_MAX, &count);

	attributes(bytes, count);
	watch_matters(bytes, count);
	if (mended) {
		mend(bytes, count);
		watch_matters(bytes, count);
	}
	if (count > 0)
		answer(bytes, count);
	free(bytes);
	return 0;
}
