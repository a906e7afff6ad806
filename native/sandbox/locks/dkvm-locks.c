/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-locks: has the locks that a guest's programs take of files in volumes, on the host.
 *     dkvm-locks MONITOR SHARE
 * MONITOR is the monitor's socket, over which the agent's frames come; SHARE what virtiofsd serves. All locks go with this process.
 * protocol/PROTOCOL.md, "Locks".
 */
#include "common/lockframe.h"
#include "common/loop.h"
#include "sandbox/serve/serve.h"
#include "sandbox/locks/blocked.h"
#include "sandbox/locks/holder.h"
#include "sandbox/locks/lanes.h"
#include "sandbox/locks/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OWN_FILES = 16 + 3 * LANES_THREADS }; /* descriptors that are no holder's */

/* What no kernel says: the guest's has been changed, and is not trusted. */
static int parse(const struct frame *frame, struct request *request, char path[static PATH_MAX])
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
	size_t kept = length < PATH_MAX ? length : PATH_MAX - 1;
	memcpy(path, p + LOCK_FIXED, kept);
	path[kept] = '\0';
	request->path = path;
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
	static char path[PATH_MAX];
	struct request request;
	int r = parse(frame, &request, path);

	if (r == 0 && request.operation == LOCK_CANCEL)
		requests_withdraw(request.id);
	else if (r == 0)
		requests_add(&request);
	return r;
}

static void room(void)
{
	/* what is answered is bounded by what is asked: see PENDING_MAX */
}

static uint32_t files_to_be_had(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= OWN_FILES)
		serve_die("the limit of open files", EMFILE);
	rlim_t most = limit.rlim_cur - OWN_FILES;
	return most < HOLDERS_MAX ? (uint32_t)most : HOLDERS_MAX;
}

int main(int argc, char **argv)
{
	static const struct service service = {"locks", take_frame, room, blocked_tick};

	serve_begin();
	if (argc != 3) {
		fprintf(stderr, "dkvm-locks MONITOR SHARE\n");
		return 2;
	}
	int share = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (share < 0)
		serve_die(argv[2], errno);
	holders_open(files_to_be_had());
	int r = loop_open();
	if (r == 0)
		r = requests_open(share);
	if (r < 0)
		serve_die("loop", r);
	serve_connect(&service, argv[1]);
	serve(&service);
}
