/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/takeover_order.h"

#include "common/frame.h"

#include <string.h>

struct reader {
	const uint8_t *at;
	size_t left;
	bool good;
};

/* The next bytes; zeros where there are not so many, and then the whole is no good. */
static const uint8_t *take(struct reader *reader, size_t size)
{
	static const uint8_t nothing[16];
	const uint8_t *at = reader->at;

	if (size > reader->left || !reader->good) {
		reader->good = false;
		return nothing;
	}
	reader->at += size;
	reader->left -= size;
	return at;
}

/* A name that the kernel takes, in printable characters, with zeros up to the end. */
static void take_name(struct reader *reader, char name[static NAME_SIZE])
{
	size_t length;

	memcpy(name, take(reader, NAME_SIZE), NAME_SIZE);
	length = strnlen(name, NAME_SIZE);
	if (length == 0 || length == NAME_SIZE || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		reader->good = false;
		return;
	}
	for (size_t i = 0; i < NAME_SIZE; i++) {
		bool valid = i < length ? name[i] > ' ' && name[i] < 0x7F && name[i] != '/' && name[i] != ':'
					: name[i] == '\0';
		reader->good = reader->good && valid;
	}
}

static void take_device(struct reader *reader, struct takeover_order *order)
{
	order->index = get_u32(take(reader, 4));
	take_name(reader, order->device);
	order->mtu = get_u32(take(reader, 4));
	order->own_port = get_u16(take(reader, 2));
	if (order->index == 0 || order->index > INT32_MAX || order->mtu < MTU_LEAST || order->mtu > MTU_MOST)
		reader->good = false;
}

bool takeover_order_read(struct takeover_order *order, const uint8_t *bytes, size_t size)
{
	struct reader reader = {bytes, size, true};

	memset(order, 0, sizeof *order);
	order->kind = (enum order_kind) * take(&reader, 1);
	take_name(&reader, order->tap);
	switch (order->kind) {
	case ORDER_TAKE:
		take_device(&reader, order);
		break;
	case ORDER_REMOVE:
	case ORDER_GUARD:
		break;
	case ORDER_RELEASE:
		take_name(&reader, order->device);
		break;
	default:
		reader.good = false;
	}
	return reader.good && reader.left == 0;
}
