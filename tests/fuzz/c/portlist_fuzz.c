/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of sockets, line by line, and the list of ports that is told of them: in order, each once. */
#include "fuzz.h"

#include "common/frame.h"
#include "guest/network/portlist.h"

static const uint8_t own[4] = {172, 17, 0, 2};

static void check(struct portlist *list)
{
	static uint8_t told[PORTLIST_BYTES];
	uint32_t size = portlist_write(list, told);

	HOLDS(size <= sizeof told && size % 4 == 0 && size / 4 <= list->count);
	for (uint32_t at = 0; at < size; at += 4) {
		HOLDS((told[at] == 6 || told[at] == 17) && told[at + 1] <= 1 && get_u16(told + at + 2) > 0);
		HOLDS(at == 0 || told[at - 4] < told[at] || get_u16(told + at - 2) < get_u16(told + at + 2));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct portlist list;
	struct bytes in = {data, size};
	uint8_t how = take_u8(&in);

	list.count = 0;
	while (in.left > 0) {
		struct port_line read;
		char *text = take_text(&in);

		for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
			for (int again = 0; portlist_read(line, how & 1, &read) && again <= (how >> 2) * 8; again++) {
				read.port = (uint16_t)(read.port + again);
				portlist_add(&list, how & 2 ? 17 : 6, &read, how & 1, own);
			}
		free(text);
	}
	HOLDS(list.count <= PORTLIST_TAKEN);
	check(&list);
	return 0;
}
