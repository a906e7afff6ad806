/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/watch.h"

#include "common/rtnetlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { MESSAGES_SIZE = 8192 }; /* bytes: one message has no more */

static const uint32_t groups =
	RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

int watch_open(void)
{
	return rtnetlink_open(SOCK_NONBLOCK, groups);
}

static bool is_tap(const uint8_t *attributes, size_t size)
{
	const struct rtattr *about = rtnetlink_attribute(attributes, size, IFLA_LINKINFO);

	if (!about)
		return false;
	const struct rtattr *kind =
		rtnetlink_attribute((const uint8_t *)RTA_DATA(about), RTA_PAYLOAD(about), IFLA_INFO_KIND);

	return kind && RTA_PAYLOAD(kind) >= 4 && memcmp(RTA_DATA(kind), "tun", 4) == 0;
}

static bool link_matters(const uint8_t *body, size_t size)
{
	size_t header = NLMSG_ALIGN(sizeof(struct ifinfomsg));
	const struct ifinfomsg *info = (const struct ifinfomsg *)(const void *)body;

	/* that an interface hears all multicast groups is the monitor's own doing */
	return size >= header && info->ifi_change != IFF_ALLMULTI && !is_tap(body + header, size - header);
}

static bool address_matters(const uint8_t *body, size_t size)
{
	const struct ifaddrmsg *address = (const struct ifaddrmsg *)(const void *)body;

	return size >= sizeof *address && address->ifa_scope != RT_SCOPE_LINK;
}

static bool route_matters(const uint8_t *body, size_t size)
{
	const struct rtmsg *route = (const struct rtmsg *)(const void *)body;

	return size >= sizeof *route && route->rtm_table == RT_TABLE_MAIN && route->rtm_type == RTN_UNICAST &&
	       route->rtm_protocol != RTPROT_KERNEL && !(route->rtm_flags & RTM_F_CLONED);
}

static bool message_matters(const struct nlmsghdr *header)
{
	const uint8_t *body = NLMSG_DATA(header);
	size_t size = header->nlmsg_len - NLMSG_HDRLEN;

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_matters(body, size);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return address_matters(body, size);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_matters(body, size);
	default:
		return false;
	}
}

bool watch_matters(const void *messages, size_t size)
{
	const uint8_t *at = messages;

	while (size >= NLMSG_HDRLEN) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)at;

		if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > size)
			return false;
		if (message_matters(header))
			return true;
		size_t step = NLMSG_ALIGN(header->nlmsg_len);

		if (step > size)
			return false;
		at += step;
		size -= step;
	}
	return false;
}

bool watch_drain(int fd)
{
	static _Alignas(struct nlmsghdr) uint8_t messages[MESSAGES_SIZE];
	bool matters = false;

	for (;;) {
		ssize_t n = recv(fd, messages, sizeof messages, MSG_DONTWAIT);

		/* more came than the socket holds: anything may be among it */
		if (n < 0 && errno == ENOBUFS)
			matters = true;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n <= 0)
			return matters;
		else
			matters = watch_matters(messages, (size_t)n) || matters;
	}
}
