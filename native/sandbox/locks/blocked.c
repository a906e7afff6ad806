/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/locks/blocked.h"

#include "common/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	STACK = 64 * 1024, /* bytes of a thread */
	TRY_MILLIS = 20,
	TRIES = 64, /* at one time */
	NONE = -1,
};

struct blocked {
	struct holder *holder; /* NULL: the place is free */
	uint64_t id;
	struct range range;
	int thread; /* NONE: none, it is tried */
	bool trying, withdrawn;
	int result; /* of the try */
	struct work work;
};

struct waiter {
	pthread_t thread;
	struct blocked *blocked; /* NULL: it is free */
	int fd;
	struct range range;
	atomic_bool withdrawn;
	int result;
};

static struct blocked all[BLOCKED_MAX];
static struct waiter waiters[BLOCKED_THREADS];
static int ended[2]; /* a pipe: numbers of waiters, each in a byte */
static struct source ends = {.fd = -1};
static size_t tried_next, count, used; /* used: places up to the last that has ever been taken */
static blocked_done *tell;

static void end(struct blocked *blocked, int result)
{
	struct holder *holder = blocked->holder;

	blocked->holder = NULL;
	count--;
	holder->waiting--;
	tell(blocked->id, holder, result);
}

static void take_ended(struct source *source, uint32_t events)
{
	uint8_t number;

	(void)events;
	while (read(source->fd, &number, 1) == 1) {
		struct waiter *waiter = &waiters[number];
		struct blocked *blocked = waiter->blocked;

		pthread_join(waiter->thread, NULL);
		waiter->blocked = NULL;
		end(blocked, waiter->result);
	}
}

/* Does nothing, but ends the system call that it comes in. */
static void press(int number)
{
	(void)number;
}

int blocked_open(blocked_done *done)
{
	const struct sigaction action = {.sa_handler = press};

	tell = done;
	if (sigaction(SIGUSR1, &action, NULL) < 0 || pipe2(ended, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	return loop_add(&ends, ended[0], EPOLLIN, take_ended);
}

static void *wait_for_lock(void *argument)
{
	struct waiter *waiter = argument;
	uint8_t number = (uint8_t)(waiter - waiters);

	do
		waiter->result = locked_file_set(waiter->fd, &waiter->range, true);
	while (waiter->result == -EINTR && !atomic_load(&waiter->withdrawn));
	/* as many bytes as waiters always have room */
	while (write(ended[1], &number, 1) < 0 && errno == EINTR)
		;
	return NULL;
}

static int start_thread(struct waiter *waiter)
{
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return -r;
	r = pthread_attr_setstacksize(&attributes, STACK);
	if (r == 0)
		r = pthread_create(&waiter->thread, &attributes, wait_for_lock, waiter);
	pthread_attr_destroy(&attributes);
	return -r;
}

/* NONE: all are taken, or none can be made. */
static int thread_for(struct blocked *blocked)
{
	for (int i = 0; i < BLOCKED_THREADS; i++) {
		struct waiter *waiter = &waiters[i];

		if (waiter->blocked)
			continue;
		waiter->fd = blocked->holder->fd;
		waiter->range = blocked->range;
		atomic_store(&waiter->withdrawn, false);
		if (start_thread(waiter) < 0)
			return NONE;
		waiter->blocked = blocked;
		return i;
	}
	return NONE;
}

int blocked_add(uint64_t id, struct holder *holder, const struct range *range)
{
	size_t i = 0;

	while (i < BLOCKED_MAX && all[i].holder)
		i++;
	if (i == BLOCKED_MAX)
		return -ENOLCK;
	used = i < used ? used : i + 1;
	count++;
	holder->waiting++;
	all[i] = (struct blocked){.holder = holder, .id = id, .range = *range};
	all[i].thread = thread_for(&all[i]);
	return 0;
}

void blocked_withdraw(uint64_t id)
{
	for (size_t i = 0; i < used; i++) {
		struct blocked *blocked = &all[i];

		if (!blocked->holder || blocked->id != id)
			continue;
		if (blocked->thread == NONE && (!blocked->trying || lanes_remove(&blocked->work))) {
			blocked->trying = false;
			end(blocked, -EINTR);
		} else if (blocked->thread == NONE) {
			blocked->withdrawn = true;
		} else {
			atomic_store(&waiters[blocked->thread].withdrawn, true);
			pthread_kill(waiters[blocked->thread].thread, SIGUSR1);
		}
		return;
	}
}

/* A signal that comes just before the call that it is to end is lost. */
static bool press_again(void)
{
	bool any = false;

	for (int i = 0; i < BLOCKED_THREADS; i++) {
		if (!waiters[i].blocked || !atomic_load(&waiters[i].withdrawn))
			continue;
		pthread_kill(waiters[i].thread, SIGUSR1);
		any = true;
	}
	return any;
}

static bool begin_try(struct work *work)
{
	(void)work;
	return true;
}

static void run_try(struct work *work)
{
	struct blocked *blocked = container_of(work, struct blocked, work);

	blocked->result = locked_file_set(blocked->holder->fd, &blocked->range, false);
}

static void tried(struct work *work)
{
	struct blocked *blocked = container_of(work, struct blocked, work);

	blocked->trying = false;
	if (blocked->result != -EAGAIN)
		end(blocked, blocked->result);
	else if (blocked->withdrawn)
		end(blocked, -EINTR);
}

static void try(struct blocked *blocked)
{
	blocked->trying = true;
	blocked->work =
		(struct work){.file = blocked->holder->inode, .begin = begin_try, .run = run_try, .done = tried};
	memcpy(blocked->work.slot, blocked->holder->slot, sizeof blocked->work.slot);
	lanes_add(&blocked->work);
}

/* Returns whether any are to be tried again. */
static bool try_some(void)
{
	bool any = false;
	size_t begun = 0;

	for (size_t looked = 0; looked < used && begun < TRIES; looked++) {
		struct blocked *blocked = &all[tried_next++ % used];

		if (!blocked->holder || blocked->thread != NONE)
			continue;
		any = true;
		if (!blocked->trying) {
			begun++;
			try(blocked);
		}
	}
	return any;
}

int blocked_tick(void)
{
	if (count == 0)
		return -1;
	bool pressed = press_again();
	return try_some() || pressed ? TRY_MILLIS : -1;
}
