/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/portlist.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { TCP = 6, UDP = 17 };

static const uint8_t own[4] = {192, 0, 0, 4};
static struct portlist list;
static uint8_t bytes[PORTLIST_BYTES];

static void add(uint8_t protocol, const char *text, bool ipv6)
{
	struct port_line line;

	if (portlist_read(text, ipv6, &line))
		portlist_add(&list, protocol, &line, ipv6, own);
}

static bool is_written(const char *expected, uint32_t size)
{
	bool same = portlist_write(&list, bytes) == size && memcmp(bytes, expected, size) == 0;

	list.count = 0;
	return same;
}

static void lines_of_the_kernel_are_read(void)
{
	struct port_line line;

	CHECK(portlist_read("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 ", false,
			    &line));
	CHECK(memcmp(line.address, "\x7f\0\0\1", 4) == 0 && line.port == 8080 && line.peer_port == 0);
	CHECK(line.state == 10);
	CHECK(portlist_read("  12: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0001 0A 0",
			    true, &line));
	CHECK(line.address[15] == 1 && line.port == 80 && line.peer_port == 1);
}

static void other_lines_are_not(void)
{
	struct port_line line;

	CHECK(!portlist_read("  sl  local_address rem_address   st tx_queue", false, &line));
	CHECK(!portlist_read("", false, &line));
	CHECK(!portlist_read("   0: 0100007F:1F90 00000000:0000 0A 0", true, &line));
	CHECK(!portlist_read("   0: 0100007F:1F90", false, &line));
	CHECK(!portlist_read("   0: 00000000000000000000000001000000:0050 00000000:0000 0A 0", false, &line));
}

static void ports_are_written_in_order_each_once(void)
{
	add(UDP, " 1: 00000000:0035 00000000:0000 07 0", false);
	add(TCP, " 1: 00000000:1F90 00000000:0000 0A 0", false);
	add(TCP, " 1: 0100007F:0050 00000000:0000 0A 0", false);
	add(TCP, " 1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0", true);
	CHECK(is_written("\6\1\x50\0\6\0\x90\x1f\21\0\x35\0", 12));
}

static void every_address_includes_the_loopback(void)
{
	add(TCP, " 1: 0100007F:0050 00000000:0000 0A 0", false);
	add(TCP, " 1: 040000C0:0050 00000000:0000 0A 0", false);
	CHECK(is_written("\6\0\x50\0", 4));
}

static void addresses_that_nobody_outside_reaches_are_left_out(void)
{
	add(TCP, " 1: 0B00007F:0035 00000000:0000 0A 0", false);
	add(TCP, " 1: 010011AC:0050 00000000:0000 0A 0", false);
	add(TCP, " 1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0", true);
	CHECK(is_written("", 0));
	add(TCP, " 1: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 0", true);
	CHECK(is_written("\6\1\x50\0", 4));
}

static void no_more_are_told_than_the_monitor_takes(void)
{
	char line[64];

	for (unsigned int port = 1; port <= PORTLIST_TAKEN + 10; port++) {
		snprintf(line, sizeof line, " 1: 00000000:%04X 00000000:0000 0A 0", port);
		add(TCP, line, false);
	}
	CHECK(list.count == PORTLIST_TAKEN);
	CHECK(portlist_write(&list, bytes) == PORTLIST_BYTES);
	CHECK(memcmp(bytes, "\6\0\1\0\6\0\2\0", 8) == 0);
}

int main(void)
{
	test("lines of the kernel are read", lines_of_the_kernel_are_read);
	test("other lines are not", other_lines_are_not);
	test("ports are written in order, each once", ports_are_written_in_order_each_once);
	test("every address includes the loopback", every_address_includes_the_loopback);
	test("addresses that nobody outside reaches are left out", addresses_that_nobody_outside_reaches_are_left_out);
	test("no more are told than the monitor takes", no_more_are_told_than_the_monitor_takes);
	return tests_end();
}
