/* SPDX-License-Identifier: Apache-2.0 */
/* The ports that programs listen at, out of the kernel's tables (proc(5), /proc/net/tcp). Pure: no system calls. */
#ifndef DKVM_PORTLIST_H
#define DKVM_PORTLIST_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PORTLIST_MAX = 1024,               /* ports that are told of */
	PORTLIST_TAKEN = 4 * PORTLIST_MAX, /* sockets that are looked at */
	PORTLIST_BYTES = 4 * PORTLIST_MAX, /* of a LISTENING */
};

/* What a line of a table says. */
struct port_line {
	uint8_t address[16]; /* IPv4: the first 4 */
	uint16_t port, peer_port;
	uint8_t state; /* TCP_* of tcp_states.h */
};

/* Read a line of tcp or udp, or with ipv6 of tcp6 or udp6. False for any other line. */
bool portlist_read(const char *line, bool ipv6, struct port_line *read);

struct portlist {
	uint32_t count;
	uint32_t ports[PORTLIST_TAKEN]; /* protocol, port, scope from the highest bits on */
};

/*
 * Add a socket where it can be reached from outside: bound to every address, to the machine's own, or to 127.0.0.1.
 * own is the machine's IPv4 address.
 */
void portlist_add(struct portlist *list, uint8_t protocol, const struct port_line *line, bool ipv6,
		  const uint8_t own[static 4]);

/* Write the ports in the form of LISTENING, in order, each once. Returns the bytes. */
uint32_t portlist_write(struct portlist *list, uint8_t to[static PORTLIST_BYTES]);

#endif
