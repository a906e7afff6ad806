/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/portlist.h"

#include "common/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCOPE_ALL = 0, SCOPE_LOOPBACK = 1 };

static const uint8_t any[16];
static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
static const uint8_t loopback[4] = {127, 0, 0, 1};

/* Addresses are words of the processor's byte order, in hexadecimal digits. */
static bool read_address(const char *digits, int words, uint8_t *address)
{
	for (int i = 0; i < words; i++) {
		unsigned int word;
		if (sscanf(digits + 8 * i, "%8x", &word) != 1)
			return false;
		memcpy(address + 4 * i, &word, 4);
	}
	return true;
}

bool portlist_read(const char *line, bool ipv6, struct port_line *read)
{
	char local[33], peer[33];
	unsigned int port, peer_port, state;

	if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x ", local, &port, peer, &peer_port, &state) !=
	    5)
		return false;
	memset(read, 0, sizeof *read);
	read->port = (uint16_t)port;
	read->peer_port = (uint16_t)peer_port;
	read->state = (uint8_t)state;
	return strlen(local) == (ipv6 ? 32u : 8u) && read_address(local, ipv6 ? 4 : 1, read->address);
}

static int scope_of(const uint8_t *address, const uint8_t *own)
{
	if (memcmp(address, any, 4) == 0 || memcmp(address, own, 4) == 0)
		return SCOPE_ALL;
	return memcmp(address, loopback, 4) == 0 ? SCOPE_LOOPBACK : -1;
}

void portlist_add(struct portlist *list, uint8_t protocol, const struct port_line *line, bool ipv6,
		  const uint8_t own[static 4])
{
	int scope;

	if (!ipv6)
		scope = scope_of(line->address, own);
	else if (memcmp(line->address, any, 16) == 0)
		scope = SCOPE_ALL;
	else
		scope = memcmp(line->address, mapped, 12) == 0 ? scope_of(line->address + 12, own) : -1;
	if (scope < 0 || line->port == 0 || list->count == PORTLIST_TAKEN)
		return;
	list->ports[list->count++] = (uint32_t)protocol << 17 | (uint32_t)line->port << 1 | (uint32_t)scope;
}

static int by_number(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Every address comes before the loopback alone, which it includes. */
uint32_t portlist_write(struct portlist *list, uint8_t to[static PORTLIST_BYTES])
{
	uint32_t size = 0;

	qsort(list->ports, list->count, sizeof list->ports[0], by_number);
	for (uint32_t i = 0; i < list->count && size < PORTLIST_BYTES; i++) {
		uint32_t port = list->ports[i];
		if (i > 0 && list->ports[i - 1] >> 1 == port >> 1)
			continue;
		to[size] = (uint8_t)(port >> 17);
		to[size + 1] = (uint8_t)(port & 1);
		put_u16(to + size + 2, (uint16_t)(port >> 1));
		size += 4;
	}
	return size;
}
