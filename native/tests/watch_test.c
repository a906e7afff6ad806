/* SPDX-License-Identifier: Apache-2.0 */
/* What dkvm-network tells of the network, and what not. */
#include "sandbox/network/watch.h"

#include "check.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(struct nlmsghdr) uint8_t messages[1024];
static size_t used;

static void *message(uint16_t type, size_t size)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(messages + used);

	memset(header, 0, NLMSG_SPACE(size));
	header->nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	header->nlmsg_type = type;
	used += NLMSG_SPACE(size);
	return NLMSG_DATA(header);
}

/* In a buffer of its own size, so that the sanitizer sees a read beyond it. */
static bool matters(size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, messages, size);
	bool result = watch_matters(copy, size);
	free(copy);
	return result;
}

/* A link of that kind, or of none. */
static void link_message(const char *kind)
{
	struct {
		struct ifinfomsg info;
		struct rtattr about, kind;
		char name[8];
	} link = {.about = {.rta_len = 2 * sizeof(struct rtattr) + 8, .rta_type = IFLA_LINKINFO},
		  .kind = {.rta_len = sizeof(struct rtattr) + 8, .rta_type = IFLA_INFO_KIND}};

	if (!kind) {
		message(RTM_NEWLINK, sizeof link.info);
		return;
	}
	strncpy(link.name, kind, sizeof link.name - 1);
	memcpy(message(RTM_NEWLINK, sizeof link), &link, sizeof link);
}

static void address_message(uint8_t scope)
{
	struct ifaddrmsg *address = message(RTM_NEWADDR, sizeof *address);

	address->ifa_scope = scope;
}

static void route_message(uint8_t table, uint8_t type, uint8_t protocol)
{
	struct rtmsg *route = message(RTM_DELROUTE, sizeof *route);

	route->rtm_table = table;
	route->rtm_type = type;
	route->rtm_protocol = protocol;
}

static bool after(void (*put)(void))
{
	used = 0;
	put();
	return matters(used);
}

static void tap(void)
{
	link_message("tun");
}

static void veth(void)
{
	link_message("veth");
}

static void nameless(void)
{
	link_message(NULL);
}

static void all_multicast(void)
{
	struct ifinfomsg *info = message(RTM_NEWLINK, sizeof *info);

	info->ifi_change = IFF_ALLMULTI;
}

static void up(void)
{
	struct ifinfomsg *info = message(RTM_NEWLINK, sizeof *info);

	info->ifi_change = IFF_UP | IFF_ALLMULTI;
}

static void link_local(void)
{
	address_message(RT_SCOPE_LINK);
}

static void global(void)
{
	address_message(RT_SCOPE_UNIVERSE);
}

static void by_hand(void)
{
	route_message(RT_TABLE_MAIN, RTN_UNICAST, RTPROT_BOOT);
}

static void by_kernel(void)
{
	route_message(RT_TABLE_MAIN, RTN_UNICAST, RTPROT_KERNEL);
}

static void local(void)
{
	route_message(RT_TABLE_LOCAL, RTN_LOCAL, RTPROT_BOOT);
}

static void tap_then_veth(void)
{
	tap();
	link_local();
	veth();
}

int main(void)
{
	CHECK("the engine's links are told", after(veth) && after(nameless));
	CHECK("our taps are not", !after(tap));
	CHECK("that all multicast groups are heard is not, either", !after(all_multicast) && after(up));
	CHECK("addresses are told, but for link-local ones", after(global) && !after(link_local));
	CHECK("routes are told, but for the kernel's own", after(by_hand) && !after(by_kernel) && !after(local));
	CHECK("one that counts among others is seen", after(tap_then_veth));
	size_t whole = used;
	bool sound = true;

	/* cut anywhere, it is read to its end and no further */
	for (size_t size = 0; size < whole; size++)
		sound = !matters(size) && sound;
	CHECK("cut messages count for nothing", sound);
	uint32_t seed = 7;
	for (int i = 0; i < 100000; i++) {
		seed = seed * 1664525u + 1013904223u;
		messages[seed % sizeof messages] = (uint8_t)(seed >> 24);
		matters(seed % sizeof messages);
	}
	CHECK("nonsense is survived", true);
	return check_end();
}
