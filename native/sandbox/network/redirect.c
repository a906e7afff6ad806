/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/redirect.h"

#include "sandbox/network/rtmessage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdbool.h>
#include <string.h>

/* The ports of this namespace's own sockets, as Takeover.java has them: 1024 that one mask matches. */
enum { RESERVED_PORTS = 0xE800, RESERVED_MASK = 0xFC00 };

/* In the order in which filters are asked. */
enum { BY_ARP = 1, BY_IPV4 = 2, BY_IPV6 = 3, BY_GUARD = 5, BY_ANYTHING = 10 };

enum { TCP = 6, UDP = 17, ICMPV6 = 58, MAX_KEYS = 8 };

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define PASSED TC_H_MAKE(1U << 16, 1U) /* a class, and no action: the packet goes on to this namespace */

/* What tc-u32(8) compares: 32 bits of the packet each, from the network header on. */
struct match {
	struct tc_u32_sel selector;
	struct tc_u32_key keys[MAX_KEYS];
};

static int change_qdisc(uint16_t type, uint16_t flags, uint32_t device)
{
	struct tcmsg *message = rtmessage_begin(type, flags, sizeof *message);

	message->tcm_ifindex = (int)device;
	message->tcm_parent = TC_H_INGRESS;
	message->tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
	rtmessage_put_text(TCA_KIND, "ingress");
	return rtmessage_send();
}

int redirect_begin(uint32_t device)
{
	return change_qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, device);
}

int redirect_end(uint32_t device)
{
	return change_qdisc(RTM_DELQDISC, 0, device);
}

static void key(struct match *match, int at, int bits, uint32_t value, uint32_t mask)
{
	int shift = 32 - bits - 8 * (at % 4);
	struct tc_u32_key *key = &match->keys[match->selector.nkeys++];

	key->off = at - at % 4;
	key->val = htonl(value << shift);
	key->mask = htonl(mask << shift);
}

static void key8(struct match *match, int at, uint32_t value)
{
	key(match, at, 8, value, 0xFF);
}

static void key16(struct match *match, int at, uint32_t value, uint32_t mask)
{
	key(match, at, 16, value, mask);
}

static void put_redirect(bool copy, uint32_t to)
{
	struct tc_mirred mirred = {
		.action = copy ? TC_ACT_PIPE : TC_ACT_STOLEN,
		.eaction = copy ? TCA_EGRESS_MIRROR : TCA_EGRESS_REDIR,
		.ifindex = to,
	};
	size_t actions = rtmessage_nest(TCA_U32_ACT);
	size_t first = rtmessage_nest(1);

	rtmessage_put_text(TCA_ACT_KIND, "mirred");
	size_t options = rtmessage_nest(TCA_ACT_OPTIONS);
	rtmessage_put(TCA_MIRRED_PARMS, &mirred, sizeof mirred);
	rtmessage_end(options);
	rtmessage_end(first);
	rtmessage_end(actions);
}

static struct tcmsg *begin_filter(uint16_t type, uint16_t flags, uint32_t device, uint32_t order, uint16_t protocol)
{
	struct tcmsg *message = rtmessage_begin(type, flags, sizeof *message);

	message->tcm_ifindex = (int)device;
	message->tcm_parent = INGRESS;
	message->tcm_info = TC_H_MAKE(order << 16, htons(protocol));
	return message;
}

/* to: 0 lets what matches pass to this namespace. copy: it does so all the same. */
static int add(uint32_t device, uint32_t order, uint16_t protocol, struct match *match, uint32_t to, bool copy)
{
	begin_filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, device, order, protocol);
	rtmessage_put_text(TCA_KIND, "u32");
	size_t options = rtmessage_nest(TCA_OPTIONS);
	if (to == 0)
		rtmessage_put_u32(TCA_U32_CLASSID, PASSED);
	else
		put_redirect(copy, to);
	match->selector.flags = TC_U32_TERMINAL;
	rtmessage_put(TCA_U32_SEL, match, sizeof match->selector + match->selector.nkeys * sizeof *match->keys);
	rtmessage_end(options);
	return rtmessage_send();
}

/* Without options, and not the rest of a fragmented packet: ports are where they are looked for. */
static struct match ipv4(uint32_t protocol)
{
	struct match match = {0};

	key8(&match, 9, protocol);
	key8(&match, 0, 0x45);
	key16(&match, 6, 0, 0x1FFF);
	return match;
}

static struct match ipv6(uint32_t protocol)
{
	struct match match = {0};

	key8(&match, 6, protocol);
	return match;
}

static int arp_to_tap(uint32_t device, uint32_t tap, bool listens)
{
	struct match match = {0};

	/* who listens has to be found also while the VM does not answer; both say the same */
	if (listens)
		key(&match, 0, 8, 0, 0);
	else
		key16(&match, 6, 2, 0xFFFF); /* replies */
	return add(device, BY_ARP, ETH_P_ARP, &match, tap, true);
}

static int ipv4_answers(uint32_t device, uint32_t tap)
{
	struct match resolver = ipv4(UDP), udp = ipv4(UDP), tcp = ipv4(TCP);

	/* a name server's answer by UDP goes both ways: a resolver in the guest may use such a port, too */
	key16(&resolver, 20, 53, 0xFFFF);
	key16(&resolver, 22, RESERVED_PORTS, RESERVED_MASK);
	key16(&udp, 22, RESERVED_PORTS, RESERVED_MASK);
	key16(&tcp, 22, RESERVED_PORTS, RESERVED_MASK);
	int r = add(device, BY_IPV4, ETH_P_IP, &resolver, tap, true);

	if (r == 0)
		r = add(device, BY_IPV4, ETH_P_IP, &udp, 0, false);
	return r == 0 ? add(device, BY_IPV4, ETH_P_IP, &tcp, 0, false) : r;
}

static int ipv6_answers(uint32_t device, uint32_t tap)
{
	struct match neighbour = ipv6(ICMPV6), udp = ipv6(UDP), tcp = ipv6(TCP);

	key8(&neighbour, 40, 136); /* advertisement */
	key16(&udp, 42, RESERVED_PORTS, RESERVED_MASK);
	key16(&tcp, 42, RESERVED_PORTS, RESERVED_MASK);
	int r = add(device, BY_IPV6, ETH_P_IPV6, &neighbour, tap, true);

	if (r == 0)
		r = add(device, BY_IPV6, ETH_P_IPV6, &udp, 0, false);
	return r == 0 ? add(device, BY_IPV6, ETH_P_IPV6, &tcp, 0, false) : r;
}

static int own_traffic(uint32_t device, uint32_t tap, own_port port)
{
	struct match v4 = ipv4(TCP), asked = ipv6(ICMPV6), v6 = ipv6(TCP);

	key16(&v4, 22, port, 0xFFFF);
	key8(&asked, 40, 135); /* solicitation */
	key16(&v6, 42, port, 0xFFFF);
	int r = add(device, BY_IPV4, ETH_P_IP, &v4, 0, false);

	if (r == 0)
		r = add(device, BY_IPV6, ETH_P_IPV6, &asked, tap, true);
	return r == 0 ? add(device, BY_IPV6, ETH_P_IPV6, &v6, 0, false) : r;
}

static int anything(uint32_t from, uint32_t to)
{
	struct match match = {0};

	key(&match, 0, 8, 0, 0);
	return add(from, BY_ANYTHING, ETH_P_ALL, &match, to, false);
}

int redirect_to_tap(uint32_t device, uint32_t tap, own_port port)
{
	int r = arp_to_tap(device, tap, port > 0);

	if (r == 0)
		r = ipv4_answers(device, tap);
	if (r == 0)
		r = ipv6_answers(device, tap);
	if (r == 0 && port > 0)
		r = own_traffic(device, tap, port);
	return r == 0 ? anything(device, tap) : r;
}

int redirect_from_tap(uint32_t tap, uint32_t device)
{
	return anything(tap, device);
}

int redirect_guard(uint32_t tap, const struct identity *identity)
{
	static struct sock_filter program[GUARD_SIZE];
	uint16_t size = (uint16_t)guard_program(program, identity);

	begin_filter(RTM_NEWTFILTER, NLM_F_CREATE, tap, BY_GUARD, ETH_P_ALL)->tcm_handle = 1;
	rtmessage_put_text(TCA_KIND, "bpf");
	size_t options = rtmessage_nest(TCA_OPTIONS);
	rtmessage_put(TCA_BPF_OPS_LEN, &size, sizeof size);
	rtmessage_put(TCA_BPF_OPS, program, size * sizeof *program);
	rtmessage_put_u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	rtmessage_end(options);
	return rtmessage_send();
}
