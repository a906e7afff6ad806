/* SPDX-License-Identifier: Apache-2.0 */
/* The order to tell what the guest uses, whose worker never ends: nobody reaps it here. */
#include "check.h"
#include "wire.h"

#include "common/channel.h"
#include "common/loop.h"
#include "guest/orders/usage_order.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MILLIS = 50 };

static void attached(void)
{
}

static int take_nothing(const struct frame *unexpected)
{
	(void)unexpected;
	return -1;
}

static void broken(int error)
{
	(void)error;
}

/* Ask again and again, as `dkvm stats` does, until there is an answer. */
static bool is_answered(const struct frame *order)
{
	for (int waited = 0; waited < PATIENCE; waited += LOOK_MILLIS) {
		if (usage_take(order) < 0)
			return false;
		loop_wait(LOOK_MILLIS);
		channel_flush();
		if (!is_silent())
			return next_frame();
	}
	return false;
}

int main(void)
{
	static const struct channel_events events = {attached, take_nothing, attached, broken, NULL};
	static const uint8_t byte[1];
	const struct frame order = {.type = FRAME_USAGE_ASK},
			   wrong = {.type = FRAME_USAGE_ASK, .length = 1, .payload = byte};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 || loop_open() < 0 ||
	    channel_open(ends[0], &events) < 0)
		return 2;
	channel = ends[1];
	CHECK("an order has no payload", usage_take(&wrong) < 0);
	CHECK("an order is taken", usage_take(&order) == 0);
	channel_flush();
	CHECK("nobody is answered while the worker looks", is_silent());
	CHECK("who asks one that is stuck is told so", is_answered(&order));
	CHECK("that it can not be told", frame.type == FRAME_USAGE && frame.length == 0);
	/* it had come to its end, or has been ended */
	CHECK("and nothing of it is left", waitpid(-1, NULL, 0) > 0);
	return check_end();
}
