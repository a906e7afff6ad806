/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/netchange.h"

#include "common/channel.h"
#include "guest/network/dns.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"
#include "common/loop.h"
#include "guest/records/machine.h"
#include "guest/network/netlink.h"
#include "guest/network/network.h"
#include "guest/kernel/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER_SIZE = 4, SET_DONE = 0, SET_FAILED = 1 };

/* The change that waits for its NICs. Its records are those of the frame, which does not stay. */
static uint8_t records[FRAME_MAX_PAYLOAD];
static struct machine change;
static uint32_t number;
static struct source links = {.fd = -1};

static void answer(int r, const struct failure *error)
{
	uint8_t payload[NUMBER_SIZE + 1 + sizeof error->text];
	size_t size = r < 0 ? strnlen(error->text, sizeof error->text - 1) : 0;

	put_u32(payload, number);
	payload[NUMBER_SIZE] = (uint8_t)(r < 0 ? SET_FAILED : SET_DONE);
	memcpy(payload + NUMBER_SIZE + 1, error->text, size);
	channel_send(FRAME_NETWORK_SET, 0, payload, (uint32_t)(NUMBER_SIZE + 1 + size));
}

static bool all_there(void)
{
	struct record record;
	struct nic_record nic;
	struct link link;
	size_t at = 0;

	while (machine_next(&change, RECORD_NIC, &at, &record))
		if (nic_parse(&record, &nic) == 0 && netlink_find(nic.mac, &link) == -ENODEV)
			return false;
	return true;
}

/* An interface is taken away by its driver's letting go of the device: at once, and on any bus. */
static int take_away(const char *name)
{
	char path[96], target[PATH_MAX];

	snprintf(path, sizeof path, "class/net/%s/device", name);
	ssize_t n = readlinkat(early.sys, path, target, sizeof target - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(path, sizeof path, "class/net/%s/device/driver/unbind", name);
	return write_text(early.sys, path, slash ? slash + 1 : target);
}

/* What is not there any more has gone by itself: addresses and routes go with an interface, routes with an address. */
static void remove_the_gone(void)
{
	struct record record;
	struct route_record route;
	struct address_record address;
	struct link link;
	size_t at = 0;
	char text[64];

	while (machine_next(&change, RECORD_ROUTE_GONE, &at, &record))
		if (route_parse(&record, &route) == 0 && netlink_find(route.mac, &link) == 0)
			netlink_delete_route(link.index, &route);
	at = 0;
	while (machine_next(&change, RECORD_ADDRESS_GONE, &at, &record))
		if (address_parse(&record, &address) == 0 && netlink_find(address.mac, &link) == 0)
			netlink_delete_address(link.index, &address);
	at = 0;
	while (machine_next(&change, RECORD_NIC_GONE, &at, &record)) {
		int r = netlink_find(record.value, &link);
		if (r == 0)
			r = take_away(link.name);
		if (r < 0 && r != -ENODEV)
			log_text(LOG_LEVEL_WARNING, "%s can not be taken away: %s", link.name, error_text(r, text));
	}
}

static int apply(struct failure *error)
{
	int r;

	remove_the_gone();
	r = network_name_links(&change, error);
	/* settings of an interface need its name, and those of IPv6 come before its addresses */
	if (r == 0)
		r = system_apply_sysctls(&change, error);
	if (r == 0)
		r = network_configure(&change, error);
	/* the first network with a resolver of the engine's may be this one */
	if (r == 0)
		r = dns_open(false, error);
	return r;
}

static void settle(void)
{
	static struct failure error;
	char text[64];
	int r = netlink_open();

	if (r < 0) {
		fail(&error, r, "netlink: %s", error_text(r, text));
	} else if (!all_there()) {
		netlink_close();
		return;
	} else {
		r = apply(&error);
	}
	netlink_close();
	loop_close(&links);
	answer(r, &error);
}

static void links_ready(struct source *source, uint32_t events)
{
	uint8_t byte;

	(void)events;
	/* what it tells does not matter, nor that more came than it holds */
	while (recv(source->fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	settle();
}

int netchange_take(const struct frame *frame)
{
	if (frame->length < NUMBER_SIZE)
		return -EPROTO;
	memcpy(records, frame->payload + NUMBER_SIZE, frame->length - NUMBER_SIZE);
	if (machine_parse_change(records, frame->length - NUMBER_SIZE, &change) < 0)
		return -EPROTO;
	number = get_u32(frame->payload);
	/* before the first look: what comes between the two is told */
	if (links.fd < 0) {
		int fd = netlink_watch();
		if (fd >= 0)
			loop_add(&links, fd, EPOLLIN, links_ready);
	}
	settle();
	return 0;
}
