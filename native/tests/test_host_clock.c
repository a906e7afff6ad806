/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/host_clock.h"
#include "test.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const int64_t ms = 1000000; /* ns */

static bool decides(int64_t difference, uint64_t trip, enum host_clock_change change, int64_t by)
{
	int64_t got;

	return host_clock_decide(difference, trip, false, &got) == change && got == by;
}

static bool decides_at_the_start(int64_t difference, uint64_t trip, enum host_clock_change change, int64_t by)
{
	int64_t got;

	return host_clock_decide(difference, trip, true, &got) == change && got == by;
}

static void what_the_answers_way_explains_is_left(void)
{
	CHECK(decides(0, 0, CLOCK_KEEP, 0));
	CHECK(decides(ms - 1, 0, CLOCK_KEEP, ms - 1));
	CHECK(decides(50 * ms, 100 * 1000000, CLOCK_KEEP, 0));
	CHECK(decides(-50 * ms, 100 * 1000000, CLOCK_KEEP, 0));
	CHECK(decides(-3000 * ms, 60000u * 1000000ull, CLOCK_KEEP, 0));
}

static void a_little_is_slewed(void)
{
	CHECK(decides(ms, 0, CLOCK_SLEW, ms));
	CHECK(decides(-ms, 0, CLOCK_SLEW, -ms));
	CHECK(decides(199 * ms, 2 * 1000000, CLOCK_SLEW, 198 * ms));
	CHECK(decides(-249 * ms, 100 * 1000000, CLOCK_SLEW, -199 * ms));
}

static void much_is_stepped(void)
{
	CHECK(decides(200 * ms, 0, CLOCK_STEP, 200 * ms));
	CHECK(decides(-260 * ms, 100 * 1000000, CLOCK_STEP, -210 * ms));
	CHECK(decides(3600000 * ms, 10 * 1000000, CLOCK_STEP, 3599995 * ms));
	CHECK(decides(INT64_MIN + 1, 2, CLOCK_STEP, INT64_MIN + 2));
}

static void at_the_start_a_clock_that_is_behind_is_stepped(void)
{
	CHECK(decides_at_the_start(ms, 0, CLOCK_STEP, ms));
	CHECK(decides_at_the_start(150 * ms, 20 * 1000000, CLOCK_STEP, 140 * ms));
	CHECK(decides_at_the_start(10 * ms, 20 * 1000000, CLOCK_KEEP, 0));
	CHECK(decides_at_the_start(-150 * ms, 20 * 1000000, CLOCK_SLEW, -140 * ms));
	CHECK(decides_at_the_start(-260 * ms, 20 * 1000000, CLOCK_STEP, -250 * ms));
}

static void nobody_asked(void)
{
	uint8_t payload[16] = {0};
	struct frame frame = {.type = FRAME_CLOCK, .payload = payload, .length = 8};

	CHECK(host_clock_take(&frame) == -EPROTO);
	frame.length = sizeof payload;
	CHECK(host_clock_take(&frame) == -EPROTO);
	memset(payload + 8, 0x7f, 8); /* a time to come */
	CHECK(host_clock_take(&frame) == -EPROTO);
	CHECK(host_clock_tick() == -1);
}

int main(void)
{
	test("what the answer's way explains is left", what_the_answers_way_explains_is_left);
	test("a little is slewed", a_little_is_slewed);
	test("much is stepped", much_is_stepped);
	test("at the start a clock that is behind is stepped", at_the_start_a_clock_that_is_behind_is_stepped);
	test("nothing is done when nobody asked", nobody_asked);
	return tests_end();
}
