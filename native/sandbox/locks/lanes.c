/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/locks/lanes.h"

#include "common/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	STACK = 128 * 1024, /* bytes of a thread: paths, a directory's entries */
	BUCKETS = 1024,
};

struct worker {
	pthread_t thread;
	pthread_cond_t wake;
	struct work *given; /* which it has not taken yet */
	struct work *work;  /* the loop's: NULL while it is idle */
};

/* All works by the hash of their files, in order. */
static struct work *buckets[BUCKETS];
/* Those that have begun and want a thread. */
static struct work *wanting, **wanting_end = &wanting;

static pthread_mutex_t hand_over = PTHREAD_MUTEX_INITIALIZER;
static struct worker workers[LANES_THREADS];
static int started;     /* workers */
static int finished[2]; /* a pipe: numbers of workers, each in a byte */
static struct source ends = {.fd = -1};

static struct work **bucket_of(uint64_t file)
{
	/* the golden ratio's digits spread neighbours */
	return &buckets[file * UINT64_C(0x9E3779B97F4A7C15) >> 54];
}

static struct work *first_of(uint64_t file)
{
	struct work *work = *bucket_of(file);

	while (work && work->file != file)
		work = work->next;
	return work;
}

static void take_out(struct work *work)
{
	struct work **link = bucket_of(work->file);

	while (*link != work)
		link = &(*link)->next;
	*link = work->next;
}

static void *serve(void *argument)
{
	struct worker *worker = argument;
	uint8_t number = (uint8_t)(worker - workers);

	for (;;) {
		pthread_mutex_lock(&hand_over);
		while (!worker->given)
			pthread_cond_wait(&worker->wake, &hand_over);
		struct work *work = worker->given;
		worker->given = NULL;
		pthread_mutex_unlock(&hand_over);
		work->run(work);
		/* as many bytes as workers always have room */
		while (write(finished[1], &number, 1) < 0 && errno == EINTR)
			;
	}
	return NULL;
}

static int start_worker(void)
{
	struct worker *worker = &workers[started];
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return -r;
	pthread_cond_init(&worker->wake, NULL);
	r = pthread_attr_setstacksize(&attributes, STACK);
	if (r == 0)
		r = pthread_create(&worker->thread, &attributes, serve, worker);
	pthread_attr_destroy(&attributes);
	started += r == 0;
	return -r;
}

/* NULL: none is idle, and none can be made. */
static struct worker *idle_worker(void)
{
	for (int i = 0; i < started; i++)
		if (!workers[i].work)
			return &workers[i];
	return started < LANES_THREADS && start_worker() == 0 ? &workers[started - 1] : NULL;
}

static bool is_busy(const char *slot)
{
	int threads = 0;

	for (int i = 0; i < started; i++)
		threads += workers[i].work && strcmp(workers[i].work->slot, slot) == 0;
	return threads >= LANES_OF_VOLUME;
}

static void dispatch(void)
{
	struct work **link = &wanting, *work;

	while ((work = *link)) {
		struct worker *worker = is_busy(work->slot) ? NULL : idle_worker();
		if (!worker) {
			link = &work->behind;
			continue;
		}
		*link = work->behind;
		if (!*link)
			wanting_end = link;
		worker->work = work;
		pthread_mutex_lock(&hand_over);
		worker->given = work;
		pthread_cond_signal(&worker->wake);
		pthread_mutex_unlock(&hand_over);
	}
}

/* Begin what is next for a file, until something has to run. */
static void advance(uint64_t file)
{
	struct work *work;

	while ((work = first_of(file)) && !work->begun) {
		work->begun = true;
		if (work->begin(work)) {
			work->behind = NULL;
			*wanting_end = work;
			wanting_end = &work->behind;
			return;
		}
		take_out(work);
		work->done(work);
	}
}

static void take_finished(struct source *source, uint32_t events)
{
	uint8_t number;

	(void)events;
	while (read(source->fd, &number, 1) == 1) {
		struct work *work = workers[number].work;
		uint64_t file = work->file;

		workers[number].work = NULL;
		take_out(work);
		work->done(work);
		advance(file);
	}
	dispatch();
}

int lanes_open(void)
{
	if (pipe2(finished, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	int r = loop_add(&ends, finished[0], EPOLLIN, take_finished);
	/* one there must be */
	return r < 0 ? r : start_worker();
}

static void add(struct work **link, struct work *work)
{
	work->next = *link;
	work->begun = false;
	*link = work;
	advance(work->file);
	dispatch();
}

void lanes_add(struct work *work)
{
	struct work **link = bucket_of(work->file);

	while (*link)
		link = &(*link)->next;
	add(link, work);
}

void lanes_add_first(struct work *work)
{
	struct work **link = bucket_of(work->file);

	while (*link && ((*link)->file != work->file || (*link)->begun))
		link = &(*link)->next;
	add(link, work);
}

bool lanes_remove(struct work *work)
{
	if (work->begun)
		return false;
	take_out(work);
	return true;
}
