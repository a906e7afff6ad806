/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM may send: frames in its own name only. A program of classic BPF, which the kernel runs for every frame of its tap. */
#ifndef DKVM_GUARD_H
#define DKVM_GUARD_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GUARD_ADDRESSES = 64, /* of a kind, at most */
	GUARD_SIZE = 4096,    /* instructions: BPF_MAXINSNS */
	GUARD_DROP = 2,       /* TC_ACT_SHOT: the frame is forged */
};

#define GUARD_GO_ON UINT32_MAX /* TC_ACT_UNSPEC: the next filter decides */

/* Who a device is. In the order of the wire. */
struct identity {
	uint8_t mac[6];
	uint8_t ipv4_count;
	uint8_t ipv6_count;
	uint8_t ipv4[GUARD_ADDRESSES][4];
	uint8_t ipv6[GUARD_ADDRESSES][16];
};

/*
 * Write the program that lets through what bears the identity: its MAC as the source of every frame and sender of ARP, its addresses
 * as the source of IPv4, IPv6 and ARP, as the target of what it advertises (neighbour discovery) and of what it looks for without an
 * address of its own. An IPv6 address that ends with the MAC's own interface identifier is its own under every prefix. The unspecified
 * address passes where a host without an address needs it: DHCP, ARP probes, duplicate address detection, router solicitation, group
 * membership. Router advertisements and redirects, VLAN tags and every other protocol do not pass. Returns the number of instructions.
 */
size_t guard_program(struct sock_filter program[static GUARD_SIZE], const struct identity *identity);

#endif
