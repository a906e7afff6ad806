/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/link.h"

#include "common/files.h"
#include "common/rtnetlink.h"
#include "sandbox/network/rtmessage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

enum { ANSWER_SIZE = 16384, ALIAS_SIZE = 32 }; /* bytes */

static const char tun_device[] = "/dev/net/tun";

static int set_flags(uint32_t index, uint32_t flags)
{
	struct ifinfomsg *info = rtmessage_begin(RTM_NEWLINK, 0, sizeof *info);

	info->ifi_index = (int)index;
	info->ifi_flags = flags;
	info->ifi_change = flags;
	return rtmessage_send();
}

int link_hear_all_groups(uint32_t index)
{
	return set_flags(index, IFF_ALLMULTI);
}

int link_make_tap(const char *name, uint32_t owner, uint32_t *index)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | (short)IFF_TUN_EXCL};
	auto_close int fd = open(tun_device, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0)
		return -errno;
	int r = link_find(name, index);

	/* last: until then it goes with the descriptor */
	return r == 0 && ioctl(fd, TUNSETPERSIST, 1UL) < 0 ? -errno : r;
}

static int without_addresses(uint32_t index)
{
	struct ifinfomsg *info = rtmessage_begin(RTM_NEWLINK, 0, sizeof *info);
	uint8_t none = IN6_ADDR_GEN_MODE_NONE;

	info->ifi_index = (int)index;
	size_t families = rtmessage_nest(IFLA_AF_SPEC | NLA_F_NESTED);
	size_t family = rtmessage_nest(AF_INET6 | NLA_F_NESTED);
	rtmessage_put(IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
	rtmessage_end(family);
	rtmessage_end(families);
	int r = rtmessage_send();

	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r; /* a kernel without IPv6 makes none */
}

int link_start_tap(uint32_t index, const char *device, uint32_t mtu)
{
	char alias[ALIAS_SIZE];
	/* before the MTU: with a small one there is no IPv6 to be set */
	int r = without_addresses(index);

	if (r < 0)
		return r;
	struct ifinfomsg *info = rtmessage_begin(RTM_NEWLINK, 0, sizeof *info);

	info->ifi_index = (int)index;
	snprintf(alias, sizeof alias, LINK_ALIAS "%s", device);
	rtmessage_put(IFLA_IFALIAS, alias, strlen(alias));
	rtmessage_put_u32(IFLA_MTU, mtu);
	r = rtmessage_send();
	return r == 0 ? set_flags(index, IFF_UP) : r;
}

/* The kernel's answer about a device, in attributes of size bytes. */
static int ask(const char *name, uint32_t *index, const uint8_t **attributes, size_t *size)
{
	static _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_SIZE];
	struct ifinfomsg *info = rtmessage_begin(RTM_GETLINK, 0, sizeof *info);
	size_t header = NLMSG_SPACE(sizeof *info);

	rtmessage_put_text(IFLA_IFNAME, name);
	int length = rtmessage_ask(answer, sizeof answer);

	if (length < 0)
		return length;
	if ((size_t)length < header || ((struct nlmsghdr *)(void *)answer)->nlmsg_type != RTM_NEWLINK)
		return -EBADMSG;
	*index = (uint32_t)((struct ifinfomsg *)NLMSG_DATA(answer))->ifi_index;
	*attributes = answer + header;
	*size = (size_t)length - header;
	return 0;
}

int link_find(const char *name, uint32_t *index)
{
	const uint8_t *attributes;
	size_t size;

	return ask(name, index, &attributes, &size);
}

static bool begins(const struct rtattr *attribute, const char *text)
{
	return attribute && RTA_PAYLOAD(attribute) >= strlen(text) &&
	       memcmp(RTA_DATA(attribute), text, strlen(text)) == 0;
}

int link_find_tap(const char *name, uint32_t *index)
{
	const uint8_t *attributes;
	size_t size;
	int r = ask(name, index, &attributes, &size);

	if (r < 0)
		return r;
	return begins(rtnetlink_attribute(attributes, size, IFLA_IFALIAS), LINK_ALIAS) ? 0 : -EPERM;
}

int link_find_behind(const char *tap, char device[static IFNAMSIZ])
{
	const uint8_t *attributes;
	uint32_t index;
	size_t size;
	int r = ask(tap, &index, &attributes, &size);
	const struct rtattr *alias = r < 0 ? NULL : rtnetlink_attribute(attributes, size, IFLA_IFALIAS);

	if (!begins(alias, LINK_ALIAS))
		return r < 0 ? r : -EPERM;
	size_t length = strnlen(RTA_DATA(alias), RTA_PAYLOAD(alias)) - strlen(LINK_ALIAS);

	if (length == 0 || length >= IFNAMSIZ)
		return -EPERM;
	memcpy(device, (const char *)RTA_DATA(alias) + strlen(LINK_ALIAS), length);
	device[length] = '\0';
	return 0;
}

struct identified {
	uint32_t device;
	struct identity *identity;
};

static void no_addresses(void *argument)
{
	const struct identified *of = argument;

	of->identity->ipv4_count = of->identity->ipv6_count = 0;
}

static void add_address(void *argument, const uint8_t *body, size_t size)
{
	const struct identified *of = argument;
	struct identity *identity = of->identity;
	const struct ifaddrmsg *about = (const struct ifaddrmsg *)(const void *)body;
	size_t header = NLMSG_ALIGN(sizeof *about);

	if (size < header || about->ifa_index != of->device)
		return;
	/* the other one is the peer's, where there is one */
	const struct rtattr *address = rtnetlink_attribute(body + header, size - header, IFA_LOCAL);

	if (!address)
		address = rtnetlink_attribute(body + header, size - header, IFA_ADDRESS);
	if (!address)
		return;
	if (about->ifa_family == AF_INET && RTA_PAYLOAD(address) == sizeof *identity->ipv4 &&
	    identity->ipv4_count < GUARD_ADDRESSES)
		memcpy(identity->ipv4[identity->ipv4_count++], RTA_DATA(address), sizeof *identity->ipv4);
	if (about->ifa_family == AF_INET6 && RTA_PAYLOAD(address) == sizeof *identity->ipv6 &&
	    identity->ipv6_count < GUARD_ADDRESSES)
		memcpy(identity->ipv6[identity->ipv6_count++], RTA_DATA(address), sizeof *identity->ipv6);
}

int link_identify(const char *name, struct identity *identity)
{
	const uint8_t *attributes;
	size_t size;
	struct identified of = {.identity = identity};
	const struct rtmessage_listener listener = {no_addresses, add_address, &of};
	int r = ask(name, &of.device, &attributes, &size);
	const struct rtattr *mac = r < 0 ? NULL : rtnetlink_attribute(attributes, size, IFLA_ADDRESS);

	if (!mac || RTA_PAYLOAD(mac) != sizeof identity->mac)
		return r < 0 ? r : -EAFNOSUPPORT;
	memcpy(identity->mac, RTA_DATA(mac), sizeof identity->mac);
	rtmessage_begin(RTM_GETADDR, 0, sizeof(struct ifaddrmsg));
	return rtmessage_list(&listener);
}

int link_delete(uint32_t index)
{
	struct ifinfomsg *info = rtmessage_begin(RTM_DELLINK, 0, sizeof *info);

	info->ifi_index = (int)index;
	return rtmessage_send();
}
