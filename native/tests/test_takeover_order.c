/* SPDX-License-Identifier: Apache-2.0 */
/* protocol/vectors/takeover: what the monitor writes, dkvm-network reads, and nothing that differs from it. */
#include "sandbox/network/takeover_order.h"

#include "common/frame.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static uint8_t bytes[ORDER_LENGTH + ORDER_MOST];
static size_t size;
static struct takeover_order order;

static void vector(const char *name)
{
	char path[256], line[512];

	snprintf(path, sizeof path, VECTORS "/takeover/%s.hex", name);
	FILE *file = fopen(path, "r");
	size = 0;
	CHECK(file != NULL);
	if (!file)
		return;
	while (fgets(line, sizeof line, file)) {
		if (line[0] == '#')
			continue;
		for (char *digits = strtok(line, " \n"); digits && size < sizeof bytes; digits = strtok(NULL, " \n"))
			bytes[size++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	fclose(file);
	CHECK(size > ORDER_LENGTH && get_u16(bytes) == size - ORDER_LENGTH);
}

/* In memory of just that size, so that the sanitizer sees a read beyond it. */
static bool read_part(size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	memcpy(copy, bytes + ORDER_LENGTH, length);
	bool good = takeover_order_read(&order, copy, length);
	free(copy);
	return good;
}

static bool read_vector(const char *name)
{
	vector(name);
	return read_part(size - ORDER_LENGTH);
}

static void vectors_are_read(void)
{
	CHECK(read_vector("take"));
	CHECK(order.kind == ORDER_TAKE && order.index == 2 && order.mtu == 1500 && order.own_port == 5901);
	CHECK(strcmp(order.tap, "tap0") == 0 && strcmp(order.device, "eth0") == 0);
	CHECK(read_vector("remove"));
	CHECK(order.kind == ORDER_REMOVE && strcmp(order.tap, "tap4") == 0);
	CHECK(read_vector("release"));
	CHECK(order.kind == ORDER_RELEASE && strcmp(order.device, "eth0") == 0);
	CHECK(read_vector("guard"));
	CHECK(order.kind == ORDER_GUARD && strcmp(order.tap, "tap0") == 0);
}

static void what_is_cut_or_too_long_is_refused(void)
{
	static const char *const names[] = {"take", "remove", "release", "guard"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		vector(names[i]);
		for (size_t length = 0; length < size - ORDER_LENGTH; length++)
			CHECK(!read_part(length));
		bytes[size] = 0;
		CHECK(!read_part(size - ORDER_LENGTH + 1));
	}
}

static bool with(const char *name, size_t at, uint8_t value)
{
	vector(name);
	bytes[ORDER_LENGTH + at] = value;
	return read_part(size - ORDER_LENGTH);
}

static void fields_are_checked(void)
{
	CHECK(!with("take", 0, 0) && !with("take", 0, 5));
	CHECK(!with("take", 1, '/') && !with("take", 1, 0) && !with("take", 1, ' ') && !with("take", 1, 0xFF));
	CHECK(!with("take", 16, 'x'));                          /* after the name's end, and without an end */
	CHECK(!with("take", 17, 0) && !with("take", 20, 0x80)); /* no index, a negative one */
	CHECK(!with("take", 37 + 2, 1));                        /* an MTU beyond any */
}

static void noise_is_refused_or_read_within_bounds(void)
{
	uint32_t state = 4711;

	for (int round = 0; round < 20000; round++) {
		vector(round % 2 ? "take" : "guard");
		for (int i = 0; i < 4; i++)
			bytes[ORDER_LENGTH + next_random(&state) % (size - ORDER_LENGTH)] =
				(uint8_t)next_random(&state);
		if (read_part(size - ORDER_LENGTH))
			CHECK(strlen(order.tap) < NAME_SIZE && strlen(order.device) < NAME_SIZE);
	}
}

int main(void)
{
	test("vectors are read", vectors_are_read);
	test("what is cut or too long is refused", what_is_cut_or_too_long_is_refused);
	test("fields are checked", fields_are_checked);
	test("noise is refused or read within bounds", noise_is_refused_or_read_within_bounds);
	return tests_end();
}
