/* SPDX-License-Identifier: Apache-2.0 */
/* Written out: Debian has no static libmnl, and five requests are all there is to make. */
#include "guest/network/netlink.h"

#include "common/rtnetlink.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_SIZE = 256, ANSWER_SIZE = 32 * 1024 }; /* bytes */

static int requests = -1, events = -1;
static uint32_t sequence;

static _Alignas(struct nlmsghdr) uint8_t request[REQUEST_SIZE];
static _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_SIZE];

int netlink_open(void)
{
	requests = rtnetlink_open(0, 0);
	events = rtnetlink_open(SOCK_NONBLOCK, RTMGRP_LINK);
	return requests < 0 ? requests : events < 0 ? events : 0;
}

int netlink_watch(void)
{
	return rtnetlink_open(SOCK_NONBLOCK, RTMGRP_LINK);
}

void netlink_close(void)
{
	if (requests >= 0)
		close(requests);
	if (events >= 0)
		close(events);
	requests = events = -1;
}

/* Start a request; its own header of size bytes follows, all zero. */
static void *begin(uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *header = (struct nlmsghdr *)request;

	memset(request, 0, sizeof request);
	header->nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	header->nlmsg_type = type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = ++sequence;
	return NLMSG_DATA(header);
}

static void put(uint16_t type, const void *value, size_t size)
{
	struct nlmsghdr *header = (struct nlmsghdr *)request;
	size_t at = NLMSG_ALIGN(header->nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(request + at);

	assert(at + RTA_SPACE(size) <= sizeof request);
	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), value, size);
	header->nlmsg_len = (uint32_t)(at + RTA_SPACE(size));
}

static void put_number(uint16_t type, uint32_t value)
{
	put(type, &value, sizeof value);
}

/* Give each message of an answer to each. Returns 1: more is to come, 0: the end, or the error it tells of. */
static int read_answer(size_t size, void (*each)(const struct nlmsghdr *, void *), void *argument)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= size;) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)(answer + at);
		if (header->nlmsg_len < sizeof *header || header->nlmsg_len > size - at)
			return -EBADMSG;
		at += NLMSG_ALIGN(header->nlmsg_len);
		if (header->nlmsg_seq != sequence)
			continue;
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
		if (each)
			each(header, argument);
	}
	return 1;
}

static int exchange(void (*each)(const struct nlmsghdr *, void *), void *argument)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)request;
	int r = 1;

	if (send(requests, request, header->nlmsg_len, 0) < 0)
		return -errno;
	while (r > 0) {
		ssize_t n = recv(requests, answer, sizeof answer, 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		r = n < 0 ? 1 : read_answer((size_t)n, each, argument);
	}
	return r;
}

struct search {
	const uint8_t *mac;
	struct link *link;
	int result;
};

/* One that software made has a kind; a VLAN, a bridge or the like may have the MAC of the NIC that it stands on. */
static bool has_kind(const struct rtattr *info)
{
	return rtnetlink_attribute(RTA_DATA(info), RTA_PAYLOAD(info), IFLA_INFO_KIND) != NULL;
}

static void match_link(const struct nlmsghdr *header, void *argument)
{
	struct search *search = argument;
	const struct ifinfomsg *info = NLMSG_DATA(header);
	const uint8_t *end = (const uint8_t *)header + header->nlmsg_len;
	const uint8_t *at = (const uint8_t *)info + NLMSG_ALIGN(sizeof *info);
	const char *name = NULL;
	bool found = false, made = false;

	while (at + sizeof(struct rtattr) <= end) {
		const struct rtattr *attribute = (const struct rtattr *)at;
		if (attribute->rta_len < sizeof *attribute || attribute->rta_len > end - at)
			return;
		if (attribute->rta_type == IFLA_ADDRESS && attribute->rta_len == RTA_LENGTH(6))
			found = memcmp(RTA_DATA(attribute), search->mac, 6) == 0;
		if ((attribute->rta_type & NLA_TYPE_MASK) == IFLA_LINKINFO)
			made = has_kind(attribute);
		if (attribute->rta_type == IFLA_IFNAME)
			name = RTA_DATA(attribute);
		at += RTA_ALIGN(attribute->rta_len);
	}
	if (!found || made || !name || (info->ifi_flags & IFF_LOOPBACK))
		return;
	search->link->index = (uint32_t)info->ifi_index;
	snprintf(search->link->name, sizeof search->link->name, "%s", name);
	search->result = 0;
}

int netlink_find(const uint8_t mac[static 6], struct link *link)
{
	struct search search = {mac, link, -ENODEV};
	struct ifinfomsg *info = begin(RTM_GETLINK, NLM_F_DUMP, sizeof *info);

	info->ifi_family = AF_UNSPEC;
	int r = exchange(match_link, &search);
	return r < 0 ? r : search.result;
}

void netlink_wait(int timeout)
{
	struct pollfd wait = {.fd = events, .events = POLLIN};

	if (poll(&wait, 1, timeout) > 0)
		while (recv(events, answer, sizeof answer, 0) > 0)
			;
}

int netlink_rename(uint32_t index, const char *name)
{
	struct ifinfomsg *info = begin(RTM_NEWLINK, NLM_F_ACK, sizeof *info);

	info->ifi_index = (int)index;
	put(IFLA_IFNAME, name, strlen(name) + 1);
	return exchange(NULL, NULL);
}

int netlink_up(uint32_t index, uint32_t mtu)
{
	struct ifinfomsg *info = begin(RTM_NEWLINK, NLM_F_ACK, sizeof *info);

	info->ifi_index = (int)index;
	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	if (mtu > 0)
		put_number(IFLA_MTU, mtu);
	return exchange(NULL, NULL);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static int change_address(uint16_t type, uint16_t flags, uint32_t index, const struct address_record *address)
{
	struct ifaddrmsg *info = begin(type, (uint16_t)(flags | NLM_F_ACK), sizeof *info);
	bool v4 = address->family == 4;
	size_t size = v4 ? 4 : 16;

	info->ifa_family = v4 ? AF_INET : AF_INET6;
	info->ifa_prefixlen = address->prefix;
	info->ifa_index = index;
	put(IFA_LOCAL, address->address, size);
	put(IFA_ADDRESS, address->address, size);
	if (v4 && !is_zero(address->broadcast, size))
		put(IFA_BROADCAST, address->broadcast, size);
	/* the address was found free when the sandbox got it */
	if (!v4)
		put_number(IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	return exchange(NULL, NULL);
}

int netlink_add_address(uint32_t index, const struct address_record *address)
{
	return change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address);
}

int netlink_delete_address(uint32_t index, const struct address_record *address)
{
	return change_address(RTM_DELADDR, 0, index, address);
}

static int change_route(uint16_t type, uint16_t flags, uint32_t index, const struct route_record *route)
{
	struct rtmsg *info = begin(type, (uint16_t)(flags | NLM_F_ACK), sizeof *info);
	bool v4 = route->family == 4;
	size_t size = v4 ? 4 : 16;

	info->rtm_family = v4 ? AF_INET : AF_INET6;
	info->rtm_dst_len = route->prefix;
	info->rtm_table = RT_TABLE_MAIN;
	/* whoever made one that is to go */
	info->rtm_protocol = type == RTM_NEWROUTE ? RTPROT_BOOT : RTPROT_UNSPEC;
	info->rtm_scope = route->scope;
	info->rtm_type = RTN_UNICAST;
	if (route->prefix > 0)
		put(RTA_DST, route->destination, size);
	if (!is_zero(route->gateway, size))
		put(RTA_GATEWAY, route->gateway, size);
	put_number(RTA_OIF, index);
	if (route->metric > 0)
		put_number(RTA_PRIORITY, route->metric);
	return exchange(NULL, NULL);
}

int netlink_add_route(uint32_t index, const struct route_record *route)
{
	return change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, index, route);
}

int netlink_delete_route(uint32_t index, const struct route_record *route)
{
	return change_route(RTM_DELROUTE, 0, index, route);
}
