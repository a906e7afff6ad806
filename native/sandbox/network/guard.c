/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/guard.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Where things are in a frame, in bytes. */
enum {
	SOURCE_MAC = 6,
	PROTOCOL = 12,
	ARP_KIND = 14, /* hardware, protocol; their lengths follow */
	ARP_LENGTHS = 18,
	ARP_SENDER_MAC = 22,
	ARP_SENDER = 28,
	IP_VERSION = 14,
	IPV4_FRAGMENT = 20,
	IPV4_PROTOCOL = 23,
	IPV4_SOURCE = 26,
	IPV4_PORTS = 34, /* without options */
	IPV6_NEXT = 20,
	IPV6_SOURCE = 22,
	IPV6_PAYLOAD = 54,
	ND_TARGET = 8, /* from the beginning of ICMPv6 */
};

enum { HEADERS_MOST = 6 }; /* of IPv6, one after the other: more than anybody sends */

enum { NS = 135, NA = 136, RA = 134, RS = 133, REDIRECT = 137, MLD_REPORT = 131, MLD_DONE = 132, MLD2_REPORT = 143 };

/* Scratch memory of the program. */
enum { NAMELESS = 0, NEXT = 1 };

enum label { PASS, DROP, ARP, IPV4, IPV6, IPV6_PAYLOADS, IPV6_OTHER, ICMPV6, SOLICITS, ADVERTISES, LABELS };

struct assembler {
	struct sock_filter *code;
	size_t size;
	size_t at[LABELS];
	enum label target[GUARD_SIZE]; /* of the jump at that place */
	bool jumps[GUARD_SIZE];
};

static void emit(struct assembler *a, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	assert(a->size < GUARD_SIZE);
	a->code[a->size++] = (struct sock_filter){code, yes, no, k};
}

static void place(struct assembler *a, enum label label)
{
	a->at[label] = a->size;
}

static void jump(struct assembler *a, enum label label)
{
	a->target[a->size] = label;
	a->jumps[a->size] = true;
	emit(a, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void load(struct assembler *a, uint16_t size, uint32_t at)
{
	emit(a, BPF_LD | BPF_ABS | size, at, 0, 0);
}

/* From where X points to. */
static void load_there(struct assembler *a, uint16_t size, uint32_t at)
{
	emit(a, BPF_LD | BPF_IND | size, at, 0, 0);
}

static void when(struct assembler *a, uint32_t value, enum label label)
{
	emit(a, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	jump(a, label);
}

static void unless(struct assembler *a, uint32_t value, enum label label)
{
	emit(a, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	jump(a, label);
}

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void unless_mac(struct assembler *a, uint32_t at, const struct identity *identity, enum label label)
{
	load(a, BPF_W, at);
	unless(a, word(identity->mac), label);
	load(a, BPF_H, at + 4);
	unless(a, (uint32_t)identity->mac[4] << 8 | identity->mac[5], label);
}

/* Go there when these words of an IPv6 address, from the first on, are these. */
static void when_words(struct assembler *a, uint16_t mode, uint32_t at, const uint8_t *value, int count,
		       enum label label)
{
	for (int i = 0; i < count; i++) {
		emit(a, BPF_LD | BPF_W | mode, at + 4 * (uint32_t)i, 0, 0);
		/* over the pairs that follow, and the jump */
		emit(a, BPF_JMP | BPF_JEQ | BPF_K, word(value + 4 * i), 0, (uint8_t)(2 * (count - 1 - i) + 1));
	}
	jump(a, label);
}

static void when_own_ipv6(struct assembler *a, uint16_t mode, uint32_t at, const struct identity *identity,
			  enum label label)
{
	const uint8_t *mac = identity->mac;
	const uint8_t interface[8] = {mac[0] ^ 2, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]};

	when_words(a, mode, at + 8, interface, 2, label);
	for (size_t i = 0; i < identity->ipv6_count; i++)
		when_words(a, mode, at, identity->ipv6[i], 4, label);
}

static void arp(struct assembler *a, const struct identity *identity)
{
	place(a, ARP);
	load(a, BPF_W, ARP_KIND);
	unless(a, 0x00010800, DROP);
	load(a, BPF_H, ARP_LENGTHS);
	unless(a, 0x0604, DROP);
	unless_mac(a, ARP_SENDER_MAC, identity, DROP);
	load(a, BPF_W, ARP_SENDER);
	when(a, 0, PASS); /* whoever looks whether an address is free */
	for (size_t i = 0; i < identity->ipv4_count; i++)
		when(a, word(identity->ipv4[i]), PASS);
	jump(a, DROP);
}

static void ipv4(struct assembler *a, const struct identity *identity)
{
	place(a, IPV4);
	load(a, BPF_B, IP_VERSION);
	emit(a, BPF_ALU | BPF_AND | BPF_K, 0xF0, 0, 0);
	unless(a, 0x40, DROP);
	load(a, BPF_W, IPV4_SOURCE);
	for (size_t i = 0; i < identity->ipv4_count; i++)
		when(a, word(identity->ipv4[i]), PASS);
	unless(a, 0, DROP);
	/* a DHCP client, without options, in one piece */
	load(a, BPF_B, IP_VERSION);
	unless(a, 0x45, DROP);
	load(a, BPF_H, IPV4_FRAGMENT);
	emit(a, BPF_ALU | BPF_AND | BPF_K, 0x3FFF, 0, 0);
	unless(a, 0, DROP);
	load(a, BPF_B, IPV4_PROTOCOL);
	unless(a, 17, DROP);
	load(a, BPF_W, IPV4_PORTS);
	unless(a, 68U << 16 | 67, DROP);
	jump(a, PASS);
}

/* To the next header, whose length is counted in units of 8 bytes without the first. */
static void step(struct assembler *a)
{
	load_there(a, BPF_B, 0);
	emit(a, BPF_ST, NEXT, 0, 0);
	load_there(a, BPF_B, 1);
	emit(a, BPF_ALU | BPF_ADD | BPF_K, 1, 0, 0);
	emit(a, BPF_ALU | BPF_LSH | BPF_K, 3, 0, 0);
	emit(a, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(a, BPF_MISC | BPF_TAX, 0, 0, 0);
}

enum { STEP = 7, FRAGMENT = 9 }; /* instructions of step(), and of what is done with a fragment */

/* Past the headers between IPv6's own and what is carried; the number of the first of them is in NEXT, X points to it. */
static void skip_headers(struct assembler *a)
{
	for (int i = 0; i < HEADERS_MOST; i++) {
		emit(a, BPF_LD | BPF_MEM, NEXT, 0, 0);
		when(a, 58, ICMPV6);
		/* hop by hop, routing, destination: 0, 43, 60. A fragment has its length 0, and is 8 bytes long as well. */
		emit(a, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0);
		emit(a, BPF_JMP | BPF_JEQ | BPF_K, 43, 3, 0);
		emit(a, BPF_JMP | BPF_JEQ | BPF_K, 60, 2, 0);
		emit(a, BPF_JMP | BPF_JEQ | BPF_K, 44, 1 + STEP + 1, 0);
		jump(a, IPV6_OTHER);
		step(a);
		emit(a, BPF_JMP | BPF_JA, FRAGMENT, 0, 0);
		/* Of a fragment that is not the first nothing more is known, and neighbours are not discovered by fragments
		 * (RFC 6980): it is looked at by its source alone. */
		load_there(a, BPF_H, 2);
		emit(a, BPF_ALU | BPF_AND | BPF_K, 0xFFF8, 0, 0);
		unless(a, 0, IPV6_OTHER);
		load_there(a, BPF_B, 0);
		emit(a, BPF_ST, NEXT, 0, 0);
		emit(a, BPF_MISC | BPF_TXA, 0, 0, 0);
		emit(a, BPF_ALU | BPF_ADD | BPF_K, 8, 0, 0);
		emit(a, BPF_MISC | BPF_TAX, 0, 0, 0);
	}
	jump(a, DROP);
}

static void icmpv6(struct assembler *a, const struct identity *identity)
{
	place(a, ICMPV6);
	load_there(a, BPF_B, 0);
	when(a, RA, DROP);
	when(a, REDIRECT, DROP);
	when(a, NA, ADVERTISES);
	when(a, NS, SOLICITS);
	when(a, RS, PASS);
	when(a, MLD_REPORT, PASS);
	when(a, MLD_DONE, PASS);
	when(a, MLD2_REPORT, PASS);
	place(a, IPV6_OTHER);
	emit(a, BPF_LD | BPF_MEM, NAMELESS, 0, 0);
	when(a, 0, PASS);
	jump(a, DROP);
	place(a, SOLICITS);
	/* with an address it looks for others, without one for whoever may have its own */
	emit(a, BPF_LD | BPF_MEM, NAMELESS, 0, 0);
	when(a, 0, PASS);
	when_own_ipv6(a, BPF_IND, ND_TARGET, identity, PASS);
	jump(a, DROP);
	place(a, ADVERTISES);
	emit(a, BPF_LD | BPF_MEM, NAMELESS, 0, 0);
	unless(a, 0, DROP);
	when_own_ipv6(a, BPF_IND, ND_TARGET, identity, PASS);
	jump(a, DROP);
}

static void ipv6(struct assembler *a, const struct identity *identity)
{
	static const uint8_t unspecified[16];

	place(a, IPV6);
	load(a, BPF_B, IP_VERSION);
	emit(a, BPF_ALU | BPF_AND | BPF_K, 0xF0, 0, 0);
	unless(a, 0x60, DROP);
	emit(a, BPF_LD | BPF_IMM, 0, 0, 0);
	emit(a, BPF_ST, NAMELESS, 0, 0);
	when_own_ipv6(a, BPF_ABS, IPV6_SOURCE, identity, IPV6_PAYLOADS);
	emit(a, BPF_LD | BPF_IMM, 1, 0, 0);
	emit(a, BPF_ST, NAMELESS, 0, 0);
	when_words(a, BPF_ABS, IPV6_SOURCE, unspecified, 4, IPV6_PAYLOADS);
	jump(a, DROP);
	place(a, IPV6_PAYLOADS);
	load(a, BPF_B, IPV6_NEXT);
	emit(a, BPF_ST, NEXT, 0, 0);
	emit(a, BPF_LDX | BPF_IMM, IPV6_PAYLOAD, 0, 0);
	skip_headers(a);
	icmpv6(a, identity);
}

size_t guard_program(struct sock_filter program[static GUARD_SIZE], const struct identity *identity)
{
	static struct assembler assembler;
	struct assembler *a = &assembler;

	assert(identity->ipv4_count <= GUARD_ADDRESSES && identity->ipv6_count <= GUARD_ADDRESSES);
	memset(a, 0, sizeof *a);
	a->code = program;
	/* a tag is no part of the bytes here */
	load(a, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	unless(a, 0, DROP);
	unless_mac(a, SOURCE_MAC, identity, DROP);
	load(a, BPF_H, PROTOCOL);
	when(a, 0x0806, ARP);
	when(a, 0x0800, IPV4);
	when(a, 0x86DD, IPV6);
	jump(a, DROP);
	arp(a, identity);
	ipv4(a, identity);
	ipv6(a, identity);
	/* last: no jump goes back */
	place(a, DROP);
	emit(a, BPF_RET | BPF_K, GUARD_DROP, 0, 0);
	place(a, PASS);
	emit(a, BPF_RET | BPF_K, GUARD_GO_ON, 0, 0);
	for (size_t i = 0; i < a->size; i++)
		if (a->jumps[i])
			program[i].k = (uint32_t)(a->at[a->target[i]] - i - 1);
	return a->size;
}
