/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/host_clock.h"

#include "common/channel.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/loop.h"
#include "guest/kernel/system.h"
#include "guest/log.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum {
	PERIOD = 10000,         /* ms between two questions */
	SOON = 500,             /* ms: between the first ones */
	FIRST_QUESTIONS = 8,    /* until one has a quick answer */
	QUICK = 4000000,        /* ns: the way of such an answer, there and back */
	STEP_FROM = 200000000,  /* ns: a smaller difference is slewed, by 0.5 ms a second */
	SLEW_FROM = 1000000,    /* ns: a smaller one is left */
	NANOS_PER_MICRO = 1000, /* ns */
	FAR = 1000000000        /* seconds: a timer that does not go off */
};

static const int64_t nanos_per_second = 1000000000;

static struct source set_by_others = {.fd = -1}; /* readable when somebody has set the clock */
static bool following;
static int64_t next; /* ms of now_millis() */
static int first;    /* so many questions of the start are still to be asked */

static int64_t real_nanos(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * nanos_per_second + now.tv_nsec;
}

enum host_clock_change host_clock_decide(int64_t difference, uint64_t trip, bool starting, int64_t *by)
{
	uint64_t size = difference < 0 ? -(uint64_t)difference : (uint64_t)difference;
	uint64_t certain = size > trip / 2 ? size - trip / 2 : 0;

	*by = difference < 0 ? -(int64_t)certain : (int64_t)certain;
	if (certain < SLEW_FROM)
		return CLOCK_KEEP;
	if (starting && difference > 0)
		return CLOCK_STEP;
	return certain < STEP_FROM ? CLOCK_SLEW : CLOCK_STEP;
}

/* timerfd_create(2), TFD_TIMER_CANCEL_ON_SET: a read fails with ECANCELED once the clock was set. */
static void arm(void)
{
	const struct itimerspec far = {.it_value = {.tv_sec = real_nanos() / nanos_per_second + FAR}};

	timerfd_settime(set_by_others.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static bool was_set(void)
{
	uint64_t times;

	return read(set_by_others.fd, &times, sizeof times) < 0 && errno == ECANCELED;
}

static void follow_no_more(void)
{
	following = false;
	loop_close(&set_by_others);
	log_text(LOG_LEVEL_INFO, "a program has set the clock, which from now on does not follow the host's");
}

static void clock_ready(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	if (was_set())
		follow_no_more();
	else
		arm();
}

void host_clock_follow(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || loop_add(&set_by_others, fd, EPOLLIN, clock_ready) < 0) {
		close_clear(&fd);
		log_text(LOG_LEVEL_WARNING, "the clock does not follow the host's");
		return;
	}
	arm();
	following = true;
	first = FIRST_QUESTIONS;
	next = now_millis();
}

int host_clock_tick(void)
{
	uint8_t payload[8];
	int64_t now = now_millis();

	if (!following)
		return -1;
	if (next > now)
		return (int)(next - now);
	next = now + (first > 0 ? SOON : PERIOD);
	first -= first > 0;
	/* its number says when it was asked; whether the one before has an answer is all the same */
	put_u64(payload, boot_nanos());
	channel_send(FRAME_CLOCK_ASK, 0, payload, sizeof payload);
	return 0; /* what has been said goes out when the loop has looked around */
}

static void slew(int64_t nanos)
{
	struct timex change = {.modes = ADJ_OFFSET_SINGLESHOT, .offset = (long)(nanos / NANOS_PER_MICRO)};

	if (adjtimex(&change) < 0)
		log_text(LOG_LEVEL_WARNING, "the clock can not be slewed");
}

static void step(int64_t nanos)
{
	if (was_set()) {
		follow_no_more();
		return;
	}
	if (!system_set_clock((uint64_t)(real_nanos() + nanos), boot_nanos()))
		return;
	was_set(); /* by us */
	arm();
	if (nanos > 0 && nanos < STEP_FROM)
		return;
	log_text(LOG_LEVEL_INFO, "the clock was %lld ms %s the host's, and was stepped",
		 (long long)((nanos < 0 ? -nanos : nanos) / 1000000), nanos < 0 ? "ahead of" : "behind");
}

int host_clock_take(const struct frame *frame)
{
	uint64_t now = boot_nanos();
	int64_t here = real_nanos(), by;

	if (frame->length != 16)
		return -EPROTO;
	uint64_t asked = get_u64(frame->payload + 8);

	if (asked == 0 || asked > now)
		return -EPROTO;
	if (!following)
		return 0;
	/* a late answer still says what is certain: see host_clock_decide() */
	uint64_t trip = now - asked;
	int64_t difference = (int64_t)get_u64(frame->payload) + (int64_t)(trip / 2) - here;

	enum host_clock_change change = host_clock_decide(difference, trip, first > 0, &by);

	if (trip <= QUICK)
		first = 0;
	switch (change) {
	case CLOCK_STEP:
		step(by);
		break;
	case CLOCK_SLEW:
		slew(by);
		break;
	case CLOCK_KEEP:
		break;
	}
	return 0;
}
