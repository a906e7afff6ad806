/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to rtnetlink(7). All return 0 or -errno. */
#ifndef DKVM_NETLINK_H
#define DKVM_NETLINK_H

#include "guest/records/machine.h"

struct link {
	uint32_t index;
	char name[16];
};

int netlink_open(void);
void netlink_close(void);

/* A socket of its own, non-blocking, that is readable when links come or go; or -errno. */
int netlink_watch(void);

/* Find a link by its MAC; -ENODEV. */
int netlink_find(const uint8_t mac[static 6], struct link *link);

/* Wait for a new link at most timeout milliseconds. */
void netlink_wait(int timeout);

int netlink_rename(uint32_t index, const char *name);
int netlink_up(uint32_t index, uint32_t mtu);
int netlink_add_address(uint32_t index, const struct address_record *address);
int netlink_add_route(uint32_t index, const struct route_record *route);
int netlink_delete_address(uint32_t index, const struct address_record *address);
int netlink_delete_route(uint32_t index, const struct route_record *route);

#endif
