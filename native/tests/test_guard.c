/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM may send, and what not: the program runs here as the kernel runs it (bpf(4), linux/filter.h). */
#include "sandbox/network/guard.h"

#include "test.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_SIZE = 256, DROPPED = GUARD_DROP, CUT = 0 };

static struct sock_filter program[GUARD_SIZE];
static size_t program_size;
static uint8_t frame[FRAME_SIZE];
static size_t size;
static bool tagged;

static const uint8_t own[6] = {0x02, 0x42, 0xac, 0x11, 0x00, 0x02}, other[6] = {0x02, 0x42, 0xac, 0x11, 0x00, 0x03};
static const char own_ipv4[] = "172.17.0.2", other_ipv4[] = "172.17.0.3";
static const char own_ipv6[] = "fd00::2", other_ipv6[] = "fd00::3", own_link[] = "fe80::42:acff:fe11:2";

static bool fetch(uint32_t at, size_t count, uint32_t *value)
{
	if (at == (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)) {
		*value = tagged;
		return true;
	}
	if (at > size || count > size - at)
		return false;
	*value = 0;
	for (size_t i = 0; i < count; i++)
		*value = *value << 8 | frame[at + i];
	return true;
}

/* What the program says of the frame: a read beyond it ends it with 0. */
static uint32_t verdict(void)
{
	uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};

	for (size_t pc = 0; pc < program_size; pc++) {
		const struct sock_filter *f = &program[pc];
		size_t count = BPF_SIZE(f->code) == BPF_W ? 4 : BPF_SIZE(f->code) == BPF_H ? 2 : 1;

		switch (f->code) {
		case BPF_LD | BPF_ABS | BPF_W:
		case BPF_LD | BPF_ABS | BPF_H:
		case BPF_LD | BPF_ABS | BPF_B:
			if (!fetch(f->k, count, &a))
				return CUT;
			break;
		case BPF_LD | BPF_IND | BPF_W:
		case BPF_LD | BPF_IND | BPF_H:
		case BPF_LD | BPF_IND | BPF_B:
			if (!fetch(x + f->k, count, &a))
				return CUT;
			break;
		case BPF_LD | BPF_IMM:
			a = f->k;
			break;
		case BPF_LD | BPF_MEM:
			a = memory[f->k];
			break;
		case BPF_LDX | BPF_IMM:
			x = f->k;
			break;
		case BPF_ST:
			memory[f->k] = a;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_MISC | BPF_TXA:
			a = x;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_ALU | BPF_ADD | BPF_K:
			a += f->k;
			break;
		case BPF_ALU | BPF_ADD | BPF_X:
			a += x;
			break;
		case BPF_ALU | BPF_LSH | BPF_K:
			a <<= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			printf("# instruction %zu: %#x\n", pc, f->code);
			abort();
		}
	}
	printf("# the program has no end\n");
	abort();
}

static bool passes(void)
{
	return verdict() == GUARD_GO_ON;
}

static bool is_dropped(void)
{
	return verdict() == DROPPED;
}

static void identify(int more)
{
	static struct identity identity;

	memset(&identity, 0, sizeof identity);
	memcpy(identity.mac, own, 6);
	identity.ipv4_count = identity.ipv6_count = (uint8_t)(1 + more);
	for (int i = 0; i < more; i++) {
		memset(identity.ipv4[i], 0x0A, 4);
		memset(identity.ipv6[i], 0x20 + i, 16);
	}
	inet_pton(AF_INET, own_ipv4, identity.ipv4[more]);
	inet_pton(AF_INET6, own_ipv6, identity.ipv6[more]);
	program_size = guard_program(program, &identity);
}

static void ethernet(const uint8_t *source, uint16_t protocol)
{
	memset(frame, 0, sizeof frame);
	memset(frame, 0xFF, 6);
	memcpy(frame + 6, source, 6);
	frame[12] = (uint8_t)(protocol >> 8);
	frame[13] = (uint8_t)protocol;
	size = 60;
	tagged = false;
}

static void arp(const uint8_t *source, const uint8_t *sender, const char *address)
{
	ethernet(source, 0x0806);
	memcpy(frame + 14, "\x00\x01\x08\x00\x06\x04\x00\x02", 8);
	memcpy(frame + 22, sender, 6);
	inet_pton(AF_INET, address, frame + 28);
}

static void ipv4(const char *source, uint8_t protocol, uint16_t from, uint16_t to)
{
	ethernet(own, 0x0800);
	frame[14] = 0x45;
	frame[23] = protocol;
	inet_pton(AF_INET, source, frame + 26);
	frame[34] = (uint8_t)(from >> 8);
	frame[35] = (uint8_t)from;
	frame[36] = (uint8_t)(to >> 8);
	frame[37] = (uint8_t)to;
}

static void ipv6(const char *source, uint8_t next)
{
	ethernet(own, 0x86DD);
	frame[14] = 0x60;
	frame[20] = next;
	inet_pton(AF_INET6, source, frame + 22);
	size = 200;
}

/* ICMPv6 behind that many bytes of other headers. */
static void icmpv6(const char *source, uint8_t type, const char *target, size_t behind)
{
	ipv6(source, 58);
	frame[54 + behind] = type;
	inet_pton(AF_INET6, target, frame + 62 + behind);
}

static void own_frames_pass(void)
{
	arp(own, own, own_ipv4);
	CHECK(passes());
	ipv4(own_ipv4, 6, 80, 4711);
	CHECK(passes());
	ipv6(own_ipv6, 6);
	CHECK(passes());
	ipv6(own_link, 17);
	CHECK(passes());
	ipv6("2001:db8::42:acff:fe11:2", 17); /* of a prefix that a router told */
	CHECK(passes());
}

static void other_macs_are_dropped(void)
{
	arp(other, own, own_ipv4);
	CHECK(is_dropped());
	arp(own, other, own_ipv4);
	CHECK(is_dropped());
	ipv4(own_ipv4, 6, 80, 4711);
	memcpy(frame + 6, other, 6);
	CHECK(is_dropped());
	ipv6(own_ipv6, 6);
	frame[11] ^= 1;
	CHECK(is_dropped());
}

static void other_addresses_are_dropped(void)
{
	arp(own, own, other_ipv4);
	CHECK(is_dropped());
	ipv4(other_ipv4, 6, 80, 4711);
	CHECK(is_dropped());
	ipv4(own_ipv4, 6, 80, 4711);
	frame[14] = 0x65;
	CHECK(is_dropped());
	ipv6(other_ipv6, 6);
	CHECK(is_dropped());
	ipv6("fe80::42:acff:fe11:3", 6);
	CHECK(is_dropped());
	ipv6("::1", 6);
	CHECK(is_dropped());
}

static void other_protocols_are_dropped(void)
{
	static const uint16_t protocols[] = {0x0000, 0x0026, 0x8100, 0x88A8, 0x88CC, 0x8847, 0x8864};

	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		ethernet(own, protocols[i]);
		CHECK(is_dropped());
	}
	ipv4(own_ipv4, 6, 80, 4711);
	tagged = true;
	CHECK(is_dropped());
	arp(own, own, own_ipv4);
	frame[15] = 6; /* not of Ethernet */
	CHECK(is_dropped());
	arp(own, own, own_ipv4);
	frame[18] = 8;
	CHECK(is_dropped());
}

static void a_host_without_an_address_asks_for_one(void)
{
	arp(own, own, "0.0.0.0");
	CHECK(passes());
	ipv4("0.0.0.0", 17, 68, 67);
	CHECK(passes());
	ipv4("0.0.0.0", 17, 67, 68);
	CHECK(is_dropped());
	ipv4("0.0.0.0", 6, 68, 67);
	CHECK(is_dropped());
	ipv4("0.0.0.0", 17, 68, 67);
	frame[20] = 0x20; /* a fragment */
	CHECK(is_dropped());
	ipv4("0.0.0.0", 17, 68, 67);
	frame[14] = 0x46; /* with options, where ports are not where they seem to be */
	CHECK(is_dropped());
	icmpv6("::", 135, own_ipv6, 0); /* has somebody my address? */
	CHECK(passes());
	icmpv6("::", 135, own_link, 0);
	CHECK(passes());
	icmpv6("::", 133, "::", 0);
	CHECK(passes());
	icmpv6("::", 128, "::", 0);
	CHECK(is_dropped());
	ipv6("::", 17);
	CHECK(is_dropped());
}

static void neighbours_are_told_of_own_addresses_only(void)
{
	icmpv6(own_ipv6, 136, own_ipv6, 0);
	CHECK(passes());
	icmpv6(own_link, 136, own_ipv6, 0);
	CHECK(passes());
	icmpv6(own_ipv6, 136, other_ipv6, 0);
	CHECK(is_dropped());
	icmpv6("::", 136, own_ipv6, 0);
	CHECK(is_dropped());
	icmpv6("::", 135, other_ipv6, 0); /* would keep another from its address */
	CHECK(is_dropped());
	icmpv6(own_ipv6, 135, other_ipv6, 0); /* looks for another */
	CHECK(passes());
	icmpv6(own_link, 134, "::", 0);
	CHECK(is_dropped());
	icmpv6(own_link, 137, other_ipv6, 0);
	CHECK(is_dropped());
}

/* The same by way of one header of 8 bytes, or several. */
static void headers_in_between_hide_nothing(void)
{
	static const uint8_t headers[] = {0, 43, 60};

	for (size_t i = 0; i < sizeof headers; i++) {
		icmpv6(own_ipv6, 136, other_ipv6, 8);
		frame[20] = headers[i];
		frame[54] = 58;
		CHECK(is_dropped());
		icmpv6(own_ipv6, 136, own_ipv6, 8);
		frame[20] = headers[i];
		frame[54] = 58;
		CHECK(passes());
	}
	icmpv6(own_ipv6, 136, other_ipv6, 24); /* one of 16 bytes, and one of 8 */
	frame[20] = 60;
	frame[54] = 60;
	frame[55] = 1;
	frame[70] = 58;
	CHECK(is_dropped());
	icmpv6("::", 143, "::", 8); /* groups are told of so */
	frame[20] = 0;
	frame[54] = 58;
	CHECK(passes());
	icmpv6(own_ipv6, 128, other_ipv6, 64); /* more than anybody sends */
	frame[20] = 60;
	for (size_t at = 54; at < 54 + 56; at += 8)
		frame[at] = 60;
	frame[54 + 56] = 58;
	CHECK(is_dropped());
}

static void fragments(void)
{
	ipv6(own_ipv6, 44); /* the first of a datagram */
	frame[54] = 17;
	frame[57] = 1;
	CHECK(passes());
	icmpv6(own_ipv6, 136, other_ipv6, 8);
	frame[20] = 44;
	frame[54] = 58;
	frame[57] = 1;
	CHECK(is_dropped());
	ipv6(own_ipv6, 44); /* a later one */
	frame[54] = 58;
	frame[56] = 1;
	CHECK(passes());
	ipv6("::", 44);
	frame[54] = 58;
	frame[56] = 1;
	CHECK(is_dropped());
	ipv6(other_ipv6, 44);
	CHECK(is_dropped());
}

static void what_is_cut_never_goes_on(void)
{
	icmpv6(own_ipv6, 136, own_ipv6, 0);
	for (size = 0; size < 78; size++)
		CHECK(!passes());
	arp(own, own, own_ipv4);
	for (size = 0; size < 32; size++)
		CHECK(!passes());
}

static void each_of_many_addresses_is_known(void)
{
	identify(GUARD_ADDRESSES - 1);
	CHECK(program_size < GUARD_SIZE);
	own_frames_pass();
	other_addresses_are_dropped();
	neighbours_are_told_of_own_addresses_only();
	arp(own, own, "10.10.10.10");
	CHECK(passes());
	ipv6("2020:2020:2020:2020:2020:2020:2020:2020", 6);
	CHECK(passes());
	identify(0);
}

int main(void)
{
	identify(0);
	test("own frames pass", own_frames_pass);
	test("other MACs are dropped", other_macs_are_dropped);
	test("other addresses are dropped", other_addresses_are_dropped);
	test("other protocols are dropped", other_protocols_are_dropped);
	test("a host without an address asks for one", a_host_without_an_address_asks_for_one);
	test("neighbours are told of own addresses only", neighbours_are_told_of_own_addresses_only);
	test("headers in between hide nothing", headers_in_between_hide_nothing);
	test("fragments are judged by what they can do", fragments);
	test("what is cut never goes on", what_is_cut_never_goes_on);
	test("each of many addresses is known", each_of_many_addresses_is_known);
	return tests_end();
}
