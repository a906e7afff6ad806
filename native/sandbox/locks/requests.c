/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/locks/requests.h"

#include "common/channel.h"
#include "common/loop.h"
#include "sandbox/locks/blocked.h"
#include "sandbox/locks/holder.h"
#include "sandbox/locks/lanes.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	PENDING_MAX = 8192,      /* requests that are not answered, and wait for no lock */
	ASKING_MAX = 6144,       /* … of which want one, or ask about one: what gives up has the rest */
	ASKING_OF_VOLUME = 2048, /* … of one volume */
	LINES_MAX = 20,          /* of complaints, for the VM's log */
	PATH_SHOWN = 200,        /* bytes of a path there */
};

/* A request that has its turn in a lane. */
struct pending {
	struct request request;
	struct work work;
	struct holder *holder; /* whose descriptor it uses; NULL: nobody's */
	int fd, result;
	bool used;
	bool fresh;     /* the holder is made for it */
	bool alone;     /* nobody else uses the holder's descriptor */
	bool writable;  /* that it is open for writing */
	bool reopened;  /* it is another descriptor now */
	bool opened;    /* the file has been found */
	bool closes;    /* giving up is closing */
	bool withdrawn; /* … and answered */
	bool cancelled; /* it is not to wait for a lock */
	struct pending *next_free;
};

static struct pending all[PENDING_MAX], *free_ones;
static char paths[PENDING_MAX][PATH_MAX]; /* of the same places */
static size_t used, count, asking;        /* used: places up to the last that has ever been taken */
static int share = -1;

/* The path is a stranger's. */
static void complain(const struct request *request, int error)
{
	static int lines;
	char shown[PATH_SHOWN + 1];
	const char *path = request->path ? request->path : "";
	size_t i = 0;

	if (lines >= LINES_MAX)
		return;
	for (; path[i] && i < PATH_SHOWN; i++)
		shown[i] = path[i] >= ' ' && path[i] < 0x7F ? path[i] : '?';
	shown[i] = '\0';
	fprintf(stderr, "a lock of \"%s\" (inode %llu) can not be had on the host: %s%s\n", shown,
		(unsigned long long)request->inode, strerrordesc_np(-error),
		++lines == LINES_MAX ? "; no more of these are told" : "");
}

static void answer(uint64_t id, int error, const struct range *range)
{
	uint8_t payload[LOCK_ANSWER] = {0};

	put_u64(payload, id);
	if (range) {
		put_u64(payload + 8, range->start);
		put_u64(payload + 16, range->end);
		payload[28] = (uint8_t)range->type;
	}
	put_u32(payload + 24, (uint32_t)-error);
	channel_send(FRAME_LOCK_ANSWER, 0, payload, sizeof payload);
}

/* What the guest's kernel knows what to do with; all else is that there is no lock. */
static int known(const struct request *request, int error)
{
	switch (error) {
	case 0:
	case -EAGAIN:
	case -EINTR:
	case -EDEADLK:
		return error;
	default:
		complain(request, error);
		return -ENOLCK;
	}
}

/* What opening a file says. */
static int known_of_open(const struct request *request, int error)
{
	if (error == -EOPNOTSUPP)
		return error;
	complain(request, error);
	return error == -ESTALE ? error : -ENOLCK;
}

static void release(struct pending *pending)
{
	count--;
	asking -= pending->request.operation != LOCK_GIVE;
	pending->used = false;
	pending->next_free = free_ones;
	free_ones = pending;
}

static struct pending *pending_of(struct work *work)
{
	return container_of(work, struct pending, work);
}

static struct holder *holder_of(const struct request *request)
{
	return holder_find(request->range.kind, request->owner, request->device, request->inode);
}

/* Its descriptor stays open until the work is done. */
static void use(struct pending *pending, struct holder *holder)
{
	pending->holder = holder;
	pending->fd = holder->fd;
	pending->writable = holder->writable;
	pending->alone = holder->waiting == 0;
	memcpy(pending->work.slot, holder->slot, sizeof holder->slot);
	holder->waiting++;
}

static bool begin_take(struct work *work)
{
	struct pending *pending = pending_of(work);
	const struct request *request = &pending->request;
	struct holder *holder = holder_of(request);

	pending->fresh = !holder;
	if (!holder)
		holder = holder_add(request->range.kind, request->owner, request->device, request->inode, work->slot);
	if (holder)
		use(pending, holder);
	else
		pending->result = -EMFILE;
	return holder;
}

static int open_file(const struct request *request, bool writable)
{
	return locked_file_open(share, request->path, request->inode, request->range.kind, writable);
}

/* Of a filesystem that makes flock(2) of locks of ranges, as NFS does, an exclusive one needs a file that is open for writing. */
static int set(struct pending *pending)
{
	const struct request *request = &pending->request;
	int r = locked_file_set(pending->fd, &request->range, false);

	if (r != -EBADF || request->range.kind != LOCK_FLOCK || pending->writable || !pending->alone)
		return r;
	int fd = open_file(request, true);
	if (fd < 0)
		return r;
	close(pending->fd);
	pending->fd = fd;
	pending->reopened = true;
	return locked_file_set(fd, &request->range, false);
}

static bool may_wait(const struct pending *pending)
{
	return pending->result == -EAGAIN && pending->request.flags & LOCK_WAIT;
}

static void run_take(struct work *work)
{
	struct pending *pending = pending_of(work);

	if (pending->fresh)
		pending->fd = open_file(&pending->request, pending->request.range.kind == LOCK_POSIX);
	pending->opened = pending->fd >= 0;
	pending->result = pending->opened ? set(pending) : pending->fd;
	if (pending->fresh && pending->opened && pending->result < 0 && !may_wait(pending)) {
		close(pending->fd);
		pending->fd = -1;
	}
}

/* The lock is the holder's, or waited for, or not to be had. */
static void took(struct pending *pending, struct holder *holder)
{
	const struct request *request = &pending->request;
	bool posix = request->range.kind == LOCK_POSIX;
	int r = pending->result;

	/* flock(2) gives the old lock up before it takes the new one */
	if (r == 0 || !posix)
		holder->held = r == 0;
	if (may_wait(pending))
		r = pending->cancelled ? -EINTR : blocked_add(request->id, holder, &request->range);
	if (r != 0 || !may_wait(pending))
		answer(request->id, pending->opened ? known(request, r) : known_of_open(request, r), NULL);
}

static void taken(struct work *work)
{
	struct pending *pending = pending_of(work);
	struct holder *holder = pending->holder;

	if (!holder) {
		answer(pending->request.id, known(&pending->request, pending->result), NULL);
		release(pending);
		return;
	}
	holder->waiting--;
	holder->fd = pending->fd < 0 ? -1 : pending->fd;
	if (pending->fresh)
		holder->writable = pending->request.range.kind == LOCK_POSIX;
	if (pending->reopened) {
		holder->held = false;
		holder->writable = true;
	}
	if (!pending->withdrawn)
		took(pending, holder);
	holder_settle(holder);
	release(pending);
}

static void blocked_ended(uint64_t id, struct holder *holder, int result)
{
	const struct request of = {.id = id, .inode = holder->inode};

	if (result == 0)
		holder->held = true;
	answer(id, known(&of, result), NULL);
	holder_settle(holder);
}

static bool begin_give(struct work *work)
{
	struct pending *pending = pending_of(work);
	struct request *request = &pending->request;
	struct holder *holder = holder_of(request);

	if (!holder)
		return false;
	request->range.type = LOCK_TYPE_NONE;
	if (request->flags & LOCK_LAST) {
		request->range.start = 0;
		request->range.end = INT64_MAX;
		holder->held = false;
		/* closed at once where it was the last */
		pending->closes = holder->waiting == 0;
	}
	use(pending, holder);
	if (pending->closes)
		holder_remove(holder);
	return true;
}

static void run_give(struct work *work)
{
	struct pending *pending = pending_of(work);

	if (pending->closes)
		close(pending->fd);
	else
		pending->result = locked_file_set(pending->fd, &pending->request.range, false);
}

static void given(struct work *work)
{
	struct pending *pending = pending_of(work);

	if (pending->closes) {
		holder_free(pending->holder);
	} else if (pending->holder) {
		pending->holder->waiting--;
		holder_settle(pending->holder);
	}
	answer(pending->request.id, known(&pending->request, pending->result), NULL);
	release(pending);
}

static bool begin_test(struct work *work)
{
	struct pending *pending = pending_of(work);
	struct holder *holder = holder_of(&pending->request);

	if (holder)
		use(pending, holder);
	return true;
}

static void run_test(struct work *work)
{
	struct pending *pending = pending_of(work);

	/* F_OFD_GETLK asks for no right to write, and a close of what is open for writing is heard by inotify */
	int fd = pending->holder ? pending->fd : open_file(&pending->request, false);

	pending->opened = fd >= 0;
	pending->result = fd < 0 ? fd : locked_file_test(fd, &pending->request.range);
	if (fd >= 0 && !pending->holder)
		close(fd);
}

static void tested(struct work *work)
{
	struct pending *pending = pending_of(work);
	const struct request *request = &pending->request;
	int r = pending->result;

	if (pending->holder) {
		pending->holder->waiting--;
		holder_settle(pending->holder);
	}
	if (!pending->withdrawn && pending->opened)
		answer(request->id, known(request, r), &request->range);
	else if (!pending->withdrawn)
		answer(request->id, known_of_open(request, r), NULL);
	release(pending);
}

int requests_open(int directory)
{
	share = directory;
	int r = lanes_open();
	return r < 0 ? r : blocked_open(blocked_ended);
}

static size_t asking_of(const char *slot)
{
	size_t of = 0;

	for (size_t i = 0; i < used; i++)
		of += all[i].used && all[i].request.operation != LOCK_GIVE && strcmp(all[i].work.slot, slot) == 0;
	return of;
}

static bool too_many(bool asks, const char *slot)
{
	if (count == PENDING_MAX || (asks && asking == ASKING_MAX))
		return true;
	return asks && asking >= ASKING_OF_VOLUME && asking_of(slot) >= ASKING_OF_VOLUME;
}

/* NULL: there are too many. */
static struct pending *new_pending(const struct request *request, const char *slot)
{
	bool asks = request->operation != LOCK_GIVE;
	struct pending *pending = free_ones;

	if (too_many(asks, slot))
		return NULL;
	if (pending)
		free_ones = pending->next_free;
	else
		pending = &all[used++];
	*pending = (struct pending){.request = *request, .fd = -1, .used = true};
	count++;
	asking += asks;
	char *path = paths[pending - all];
	memcpy(path, request->path, strlen(request->path) + 1);
	pending->request.path = path;
	memcpy(pending->work.slot, slot, SLOT_MOST + 1);
	return pending;
}

void requests_add(const struct request *request)
{
	char slot[SLOT_MOST + 1] = "";
	const char *rest;

	if (request->operation != LOCK_GIVE && !slots_name(request->path, slot, &rest)) {
		answer(request->id, known_of_open(request, -EINVAL), NULL);
		return;
	}
	struct pending *pending = new_pending(request, slot);
	if (!pending) {
		answer(request->id, known(request, -ENOLCK), NULL);
		return;
	}
	struct work *work = &pending->work;
	work->file = request->inode;
	work->begin = request->operation == LOCK_TAKE   ? begin_take
		      : request->operation == LOCK_GIVE ? begin_give
							: begin_test;
	work->run = request->operation == LOCK_TAKE ? run_take : request->operation == LOCK_GIVE ? run_give : run_test;
	work->done = request->operation == LOCK_TAKE ? taken : request->operation == LOCK_GIVE ? given : tested;
	lanes_add(work);
}

/* What has not begun is gone. What opens a file has no lock, and gets none. Else its lock may be changing already: it ends by itself. */
static void withdraw(struct pending *pending)
{
	if (lanes_remove(&pending->work)) {
		answer(pending->request.id, -EINTR, NULL);
		release(pending);
	} else if (pending->fresh || pending->request.operation == LOCK_TEST) {
		answer(pending->request.id, -EINTR, NULL);
		pending->withdrawn = true;
	} else {
		pending->cancelled = true;
	}
}

void requests_withdraw(uint64_t id)
{
	for (size_t i = 0; i < used; i++) {
		struct pending *pending = &all[i];

		if (!pending->used || pending->request.id != id || pending->request.operation == LOCK_GIVE ||
		    pending->withdrawn || pending->cancelled)
			continue;
		withdraw(pending);
		return;
	}
	blocked_withdraw(id);
}
