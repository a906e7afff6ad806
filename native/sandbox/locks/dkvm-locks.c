/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-locks: has the locks that a guest's programs take of files in volumes, on the host.
 *     dkvm-locks MONITOR SHARE
 * MONITOR is the monitor's socket, over which the agent's frames come; SHARE what virtiofsd serves. All locks go with this process.
 * protocol/PROTOCOL.md, "Locks".
 */
#include "common/channel.h"
#include "common/files.h"
#include "common/lockframe.h"
#include "common/loop.h"
#include "common/session_socket.h"
#include "sandbox/locks/blocked.h"
#include "sandbox/locks/holder.h"
#include "sandbox/locks/lockedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	OWN_FILES = 32,   /* descriptors that are no holder's */
	LINES_MAX = 20,   /* of complaints, for the VM's log */
	PATH_SHOWN = 200, /* bytes of a path there */
};

struct request {
	uint64_t id, owner, inode;
	uint32_t device;
	enum lock_operation operation;
	uint8_t flags;
	struct range range;
	char path[PATH_MAX];
};

static int share = -1;

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerrordesc_np(error < 0 ? -error : error));
	exit(1);
}

/* The path is a stranger's. */
static void complain(const struct request *request, int error)
{
	static int lines;
	char shown[PATH_SHOWN + 1];
	size_t i = 0;

	if (lines >= LINES_MAX)
		return;
	for (; request->path[i] && i < PATH_SHOWN; i++)
		shown[i] = request->path[i] >= ' ' && request->path[i] < 0x7F ? request->path[i] : '?';
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

static int open_file(const struct request *request, bool writable)
{
	return locked_file_open(share, request->path, request->inode, request->range.kind, writable);
}

/* Of a filesystem that makes flock(2) of locks of ranges, as NFS does, an exclusive one needs a file that is open for writing. */
static int set(const struct request *request, struct holder *holder)
{
	int r = locked_file_set(holder->fd, &request->range, false);

	if (r != -EBADF || request->range.kind != LOCK_FLOCK || holder->writable || holder->waiting > 0)
		return r;
	int fd = open_file(request, true);
	if (fd < 0)
		return r;
	close(holder->fd);
	holder->fd = fd;
	holder->held = false;
	holder->writable = true;
	return locked_file_set(fd, &request->range, false);
}

static struct holder *holder_of(const struct request *request)
{
	return holder_find(request->range.kind, request->owner, request->device, request->inode);
}

static void take(const struct request *request)
{
	bool posix = request->range.kind == LOCK_POSIX;
	struct holder *holder = holder_of(request);

	if (!holder) {
		int fd = open_file(request, posix);
		if (fd < 0) {
			answer(request->id, known_of_open(request, fd), NULL);
			return;
		}
		holder = holder_add(request->range.kind, request->owner, request->device, request->inode, fd);
		if (!holder) {
			close(fd);
			answer(request->id, known(request, -EMFILE), NULL);
			return;
		}
		holder->writable = posix;
	}
	int r = set(request, holder);
	/* flock(2) gives the old lock up before it takes the new one */
	if (r == 0 || !posix)
		holder->held = r == 0;
	if (r == -EAGAIN && request->flags & LOCK_WAIT) {
		r = blocked_add(request->id, holder, &request->range);
		if (r == 0)
			return;
	}
	answer(request->id, r == 0 ? 0 : known(request, r), NULL);
	holder_settle(holder);
}

static void blocked_ended(uint64_t id, struct holder *holder, int result)
{
	const struct request of = {.id = id, .inode = holder->inode};

	if (result == 0)
		holder->held = true;
	answer(id, result == 0 ? 0 : known(&of, result), NULL);
	holder_settle(holder);
}

static void give(const struct request *request)
{
	struct holder *holder = holder_of(request);
	struct range range = request->range;
	int r = 0;

	if (holder && request->flags & LOCK_LAST) {
		range.start = 0;
		range.end = INT64_MAX;
	}
	range.type = LOCK_TYPE_NONE;
	/* closed at once where it was the last */
	if (holder && (!(request->flags & LOCK_LAST) || holder->waiting > 0))
		r = locked_file_set(holder->fd, &range, false);
	if (holder && request->flags & LOCK_LAST)
		holder->held = false;
	if (holder)
		holder_settle(holder);
	answer(request->id, r == 0 ? 0 : known(request, r), NULL);
}

static void test(const struct request *request)
{
	struct holder *holder = holder_of(request);
	struct range range = request->range;
	/* F_OFD_GETLK asks for no right to write, and a close of what is open for writing is heard by inotify */
	auto_close int opened = holder ? -1 : open_file(request, false);

	if (!holder && opened < 0) {
		answer(request->id, known_of_open(request, opened), NULL);
		return;
	}
	int r = locked_file_test(holder ? holder->fd : opened, &range);
	answer(request->id, r == 0 ? 0 : known(request, r), &range);
}

/* What no kernel says: the guest's has been changed, and is not trusted. */
static int parse(const struct frame *frame, struct request *request)
{
	const uint8_t *p = frame->payload;

	if (frame->type != FRAME_LOCK || frame->stream != 0 || frame->length < LOCK_FIXED ||
	    frame->length > LOCK_FIXED + LOCK_PATH_MAX)
		return -EPROTO;
	request->id = get_u64(p + LOCK_AT_ID);
	request->owner = get_u64(p + LOCK_AT_OWNER);
	request->inode = get_u64(p + LOCK_AT_INODE);
	request->device = get_u32(p + LOCK_AT_DEVICE);
	request->operation = p[LOCK_AT_OPERATION];
	request->flags = p[LOCK_AT_FLAGS];
	request->range = (struct range){.kind = p[LOCK_AT_KIND],
					.type = p[LOCK_AT_TYPE],
					.start = get_u64(p + LOCK_AT_START),
					.end = get_u64(p + LOCK_AT_END)};
	size_t length = frame->length - LOCK_FIXED;
	/* of a path that no system call takes the rest is left out: such a file is not found */
	size_t kept = length < sizeof request->path ? length : sizeof request->path - 1;
	memcpy(request->path, p + LOCK_FIXED, kept);
	request->path[kept] = '\0';
	if (request->operation < LOCK_TAKE || request->operation > LOCK_CANCEL || request->id == 0 ||
	    request->flags > (LOCK_WAIT | LOCK_LAST) || memchr(p + LOCK_FIXED, '\0', length))
		return -EPROTO;
	if (request->operation == LOCK_CANCEL)
		return 0;
	bool wants = request->operation != LOCK_GIVE;
	if (p[LOCK_AT_KIND] > LOCK_FLOCK || p[LOCK_AT_TYPE] > LOCK_TYPE_WRITE ||
	    wants != (request->range.type != LOCK_TYPE_NONE) || wants != (length > 0) ||
	    (wants && p[LOCK_FIXED] != '/') || request->range.start > request->range.end ||
	    request->range.end > INT64_MAX)
		return -EPROTO;
	return request->operation == LOCK_TEST && request->range.kind == LOCK_FLOCK ? -EPROTO : 0;
}

static int take_frame(const struct frame *frame)
{
	static struct request request;
	int r = parse(frame, &request);

	if (r < 0)
		return r;
	switch (request.operation) {
	case LOCK_TAKE:
		take(&request);
		break;
	case LOCK_GIVE:
		give(&request);
		break;
	case LOCK_TEST:
		test(&request);
		break;
	case LOCK_CANCEL:
		blocked_withdraw(request.id);
		break;
	}
	return 0;
}

static void attached(void)
{
	/* nothing that was written before is lost on a socket */
}

static void room(void)
{
	/* what is answered is bounded by what is asked */
}

/* Threads may wait for locks: they end with the process. */
static _Noreturn void monitor_lost(void)
{
	_exit(0);
}

static void channel_broken(int error)
{
	if (error != -EPROTO)
		_exit(0);
	fprintf(stderr, "the guest broke the protocol of its locks\n");
	_exit(1);
}

static uint32_t files_to_be_had(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= OWN_FILES)
		die("the limit of open files", EMFILE);
	rlim_t most = limit.rlim_cur - OWN_FILES;
	return most < HOLDERS_MAX ? (uint32_t)most : HOLDERS_MAX;
}

int main(int argc, char **argv)
{
	static const struct channel_events events = {attached, take_frame, room, channel_broken, monitor_lost};

	/* nobody without CAP_SYS_PTRACE reads our memory, whatever user it is: see PR_SET_DUMPABLE in prctl(2) */
	prctl(PR_SET_DUMPABLE, 0);
	if (argc != 3) {
		fprintf(stderr, "dkvm-locks MONITOR SHARE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	share = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (share < 0)
		die(argv[2], errno);
	holders_open(files_to_be_had());
	int r = loop_open();
	if (r == 0)
		r = blocked_open(blocked_ended);
	if (r < 0)
		die("loop", r);
	int fd = session_socket_connect(argv[1], 0);
	r = fd < 0 ? fd : channel_open(fd, &events);
	if (r < 0)
		die(argv[1], r);
	for (;;) {
		int next = blocked_tick();
		channel_flush();
		r = loop_wait(next);
		if (r < 0)
			die("loop", r);
		channel_flush();
	}
}
