/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/network.h"

#include "common/clock.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/network/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

enum { NIC_WAIT_MILLIS = 10000, LOOPBACK_INDEX = 1 };

static int fail_nic(struct failure *error, int r, const uint8_t *mac, const char *what)
{
	char text[64];

	return fail(error, r, "NIC %02x:%02x:%02x:%02x:%02x:%02x: %s: %s", mac[0], mac[1], mac[2], mac[3], mac[4],
		    mac[5], what, error_text(r, text));
}

static int find(const uint8_t *mac, struct link *link)
{
	int64_t deadline = now_millis() + NIC_WAIT_MILLIS;
	int r;

	while ((r = netlink_find(mac, link)) == -ENODEV) {
		int64_t left = deadline - now_millis();
		if (left <= 0)
			break;
		netlink_wait((int)left);
	}
	return r;
}

/* Two NICs may want each other's name: those that have another than theirs step aside first. */
static int step_aside(const struct machine *machine, struct failure *error)
{
	struct record record;
	struct nic_record nic;
	struct link link;
	size_t at = 0;
	char aside[16];

	while (machine_next(machine, RECORD_NIC, &at, &record) && nic_parse(&record, &nic) == 0) {
		int r = find(nic.mac, &link);
		if (r == 0 && !span_is(nic.name, link.name)) {
			snprintf(aside, sizeof aside, "dkvm%u", link.index);
			r = netlink_rename(link.index, aside);
		}
		if (r < 0)
			return fail_nic(error, r, nic.mac, "name");
	}
	return 0;
}

int network_name_links(const struct machine *machine, struct failure *error)
{
	struct record record;
	struct nic_record nic;
	struct link link;
	size_t at = 0;
	char name[IFNAMSIZ], text[64];

	int r = netlink_open();
	if (r < 0)
		return fail(error, r, "netlink: %s", error_text(r, text));
	r = step_aside(machine, error);
	if (r < 0)
		return r;
	while (machine_next(machine, RECORD_NIC, &at, &record) && nic_parse(&record, &nic) == 0) {
		r = find(nic.mac, &link);
		if (r == 0 && !span_is(nic.name, link.name)) {
			r = span_copy(nic.name, name, sizeof name);
			r = r == 0 ? netlink_rename(link.index, name) : r;
		}
		if (r < 0)
			return fail_nic(error, r, nic.mac, "name");
	}
	return 0;
}

/*
 * The addresses are those of Docker: what a router of the network announces is not taken, and nobody is asked whether
 * they are free. A kernel without IPv6 has neither setting.
 */
static void settle_ipv6(const char *name)
{
	char path[80];

	snprintf(path, sizeof path, "sys/net/ipv6/conf/%s/accept_ra", name);
	write_text(early.proc, path, "0");
	snprintf(path, sizeof path, "sys/net/ipv6/conf/%s/accept_dad", name);
	write_text(early.proc, path, "0");
}

static int bring_up(const struct machine *machine, struct failure *error)
{
	struct record record;
	struct nic_record nic;
	struct link link;
	size_t at = 0;
	char text[64];

	int r = netlink_up(LOOPBACK_INDEX, 0);
	if (r < 0)
		return fail(error, r, "lo can not be brought up: %s", error_text(r, text));
	while (machine_next(machine, RECORD_NIC, &at, &record) && nic_parse(&record, &nic) == 0) {
		r = netlink_find(nic.mac, &link);
		if (r == 0) {
			settle_ipv6(link.name);
			r = netlink_up(link.index, nic.mtu);
		}
		if (r < 0)
			return fail_nic(error, r, nic.mac, "up");
	}
	return 0;
}

static int add_addresses(const struct machine *machine, struct failure *error)
{
	struct record record;
	struct address_record address;
	struct link link;
	size_t at = 0;

	while (machine_next(machine, RECORD_ADDRESS, &at, &record) && address_parse(&record, &address) == 0) {
		int r = netlink_find(address.mac, &link);
		if (r == 0)
			r = netlink_add_address(link.index, &address);
		if (r < 0)
			return fail_nic(error, r, address.mac, "address");
	}
	return 0;
}

/* A gateway must be reachable when its route is added: the routes on the link come first. */
static int add_routes(const struct machine *machine, bool on_link, struct failure *error)
{
	struct record record;
	struct route_record route;
	struct link link;
	size_t at = 0;
	char destination[INET6_ADDRSTRLEN], what[80];

	while (machine_next(machine, RECORD_ROUTE, &at, &record) && route_parse(&record, &route) == 0) {
		if ((route.scope == RT_SCOPE_LINK) != on_link)
			continue;
		int r = netlink_find(route.mac, &link);
		if (r == 0)
			r = netlink_add_route(link.index, &route);
		if (r == 0)
			continue;
		inet_ntop(route.family == 4 ? AF_INET : AF_INET6, route.destination, destination, sizeof destination);
		snprintf(what, sizeof what, "route to %s/%u", destination, route.prefix);
		return fail_nic(error, r, route.mac, what);
	}
	return 0;
}

int network_configure(const struct machine *machine, struct failure *error)
{
	int r = bring_up(machine, error);

	if (r == 0)
		r = add_addresses(machine, error);
	if (r == 0)
		r = add_routes(machine, true, error);
	if (r == 0)
		r = add_routes(machine, false, error);
	netlink_close();
	return r;
}
