/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/ports.h"

#include "guest/network/bpf.h"
#include "common/channel.h"
#include "common/clock.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"
#include "common/loop.h"
#include "guest/network/portlist.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	SETTLE_MILLIS = 2,  /* a socket is told of before it has left its table */
	PAUSE_MILLIS = 100, /* between two looks, whatever happens */
	POLL_MILLIS = 250,  /* without a kernel that tells */
	UDP_MILLIS = 2000,  /* nobody tells the end of a UDP socket */
	LINE_SIZE = 512,
	DNS_PORT = 53,
};

static struct source events = {.fd = -1};
static bool watching;
static int64_t looked, due; /* now_millis() */
static bool udp_seen;
static uint8_t own[4];
static uint32_t first_client, last_client; /* UDP ports that are given to those who ask for none */
static struct portlist list;
static uint8_t told[PORTLIST_BYTES], found[PORTLIST_BYTES];
static uint32_t told_size;

static void look_soon(void)
{
	int64_t now = now_millis();
	int64_t soon = now + SETTLE_MILLIS < looked + PAUSE_MILLIS ? looked + PAUSE_MILLIS : now + SETTLE_MILLIS;

	if (due < 0 || soon < due)
		due = soon;
}

static void events_ready(struct source *source, uint32_t ready)
{
	(void)source;
	(void)ready;
	bpf_drain();
	look_soon();
}

/* Programs that only ask have a port that the kernel gave them. */
static bool is_server(const struct port_line *line)
{
	return line->peer_port == 0 && (line->port < first_client || line->port > last_client);
}

/* What the agent itself listens at is reached another way. */
static bool is_agents(const struct port_line *line)
{
	return line->port == DNS_PORT && line->address[0] == IN_LOOPBACKNET;
}

/* False when no line that counts follows. */
static bool take_line(const char *text, uint8_t protocol, bool ipv6)
{
	struct port_line line;

	if (!portlist_read(text, ipv6, &line))
		return true; /* the headline */
	if (protocol == IPPROTO_TCP && line.state != TCP_LISTEN)
		return false; /* those that listen come first */
	if (protocol == IPPROTO_UDP && !is_server(&line))
		return true;
	if (!ipv6 && is_agents(&line))
		return true;
	udp_seen |= protocol == IPPROTO_UDP;
	portlist_add(&list, protocol, &line, ipv6, own);
	return list.count < PORTLIST_TAKEN;
}

/* A kernel without IPv6 lacks two of the tables. */
static void read_table(const char *path, uint8_t protocol, bool ipv6)
{
	char line[LINE_SIZE];
	int fd = openat(early.proc, path, O_RDONLY | O_CLOEXEC);
	FILE *table = fd < 0 ? NULL : fdopen(fd, "r");

	if (!table) {
		close_clear(&fd);
		return;
	}
	while (fgets(line, sizeof line, table) && take_line(line, protocol, ipv6))
		;
	fclose(table);
}

static void look(void)
{
	list.count = 0;
	udp_seen = false;
	read_table("net/tcp", IPPROTO_TCP, false);
	read_table("net/tcp6", IPPROTO_TCP, true);
	read_table("net/udp", IPPROTO_UDP, false);
	read_table("net/udp6", IPPROTO_UDP, true);
	looked = now_millis();
	due = events.fd < 0 ? looked + POLL_MILLIS : udp_seen ? looked + UDP_MILLIS : -1;
	uint32_t size = portlist_write(&list, found);
	if (size == told_size && memcmp(found, told, size) == 0)
		return;
	if (!channel_has_room() || channel_send(FRAME_LISTENING, 0, found, size) < 0) {
		due = looked + PAUSE_MILLIS;
		return;
	}
	channel_flush(); /* the loop is about to wait */
	memcpy(told, found, size);
	told_size = size;
}

static void read_client_ports(void)
{
	char text[64];

	if (read_text(early.proc, "sys/net/ipv4/ip_local_port_range", text, sizeof text) <= 0 ||
	    sscanf(text, "%u %u", &first_client, &last_client) != 2)
		first_client = last_client = 0;
}

static void read_own_address(const struct machine *machine)
{
	struct record record;
	struct address_record address;
	size_t at = 0;

	while (machine_next(machine, RECORD_ADDRESS, &at, &record))
		if (address_parse(&record, &address) == 0 && address.family == 4)
			memcpy(own, address.address, sizeof own);
}

void ports_open(const struct machine *machine)
{
	char text[64];

	if (!machine->shared_network)
		return;
	read_own_address(machine);
	read_client_ports();
	int fd = bpf_open(machine->outer_loopback);
	if (fd >= 0)
		loop_add(&events, fd, EPOLLIN, events_ready);
	else
		log_text(LOG_LEVEL_WARNING, "the kernel tells no events of sockets: %s", error_text(fd, text));
	watching = true;
	due = now_millis();
}

int ports_tick(void)
{
	if (!watching || due < 0)
		return -1;
	if (due <= now_millis())
		look();
	int64_t left = due < 0 ? -1 : due - now_millis();
	return due < 0 ? -1 : left < 0 ? 0 : (int)left;
}
