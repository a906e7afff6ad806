/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of an open session as the agent takes them, with a process that reads, or does not. The first byte says whether it
 * runs already; then a list of steps: a frame's type or one of the process's, length u16, payload.
 */
#include "fuzz.h"

#include "common/channel.h"
#include "common/loop.h"
#include "guest/session/relay.h"
#include "guest/session/session.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WRITES = 0, READS = 1, CLOSES = 2, LOCAL = 8 };

static struct session session;
static int peer = -1, process_in = -1, process_out = -1;
static uint64_t taken, given;  /* bytes of input, and the credit given back for them */
static uint64_t sent, granted; /* bytes of output, and the credit for them */

static void nothing(void)
{
}

static int no_frame(const struct frame *frame)
{
	(void)frame;
	return 0;
}

static void broken(int error)
{
	(void)error;
	abort();
}

static const struct channel_events events = {nothing, no_frame, nothing, broken, NULL};

static void read_peer(void)
{
	static uint8_t bytes[1 << 20];
	static size_t size;
	struct frame frame;
	size_t at = 0;
	ssize_t n;
	long whole;

	channel_flush();
	while ((n = recv(peer, bytes + size, sizeof bytes - size, MSG_DONTWAIT)) > 0)
		size += (size_t)n;
	while ((whole = frame_parse(bytes + at, size - at, &frame)) > 0) {
		HOLDS(frame.stream == 2);
		if (frame.type == FRAME_CREDIT_MORE)
			given += get_u32(frame.payload + 1);
		else if (frame.type == FRAME_STDOUT)
			sent += frame.length;
		else
			HOLDS(frame.type == FRAME_STDERR && frame.length == 0);
		at += (size_t)whole;
	}
	HOLDS(whole == 0 && given <= taken && sent <= granted);
	memmove(bytes, bytes + at, size - at);
	size -= at;
}

static void start(void)
{
	int pair[2];

	signal(SIGPIPE, SIG_IGN); /* as in the agent */
	HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	peer = pair[1];
	HOLDS(loop_open() == 0 && channel_open(pair[0], &events) == 0);
}

static void begin(bool runs)
{
	int in[2], out[2];

	HOLDS(pipe2(in, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0);
	process_in = in[0];
	process_out = out[1];
	session_create(&session, 2);
	session.state = runs ? SESSION_RUNNING : SESSION_STARTING;
	taken = given = sent = 0;
	granted = FRAME_CREDIT;
	relay_attach(&session.relay, in[1], out[0], -1);
	if (runs)
		relay_start(&session.relay);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void process_does(int what, const uint8_t *bytes, size_t size)
{
	static uint8_t away[FRAME_CREDIT];

	if (what == WRITES && process_out >= 0)
		(void)!write(process_out, bytes, size);
	else if (what == READS && process_in >= 0)
		(void)!read(process_in, away, sizeof away);
	else if (what == CLOSES)
		close_end(size & 1 ? &process_in : &process_out);
	loop_wait(0);
}

static int take(uint8_t type, const uint8_t *bytes, size_t size)
{
	struct frame frame = {(uint32_t)size, type, 2, bytes};
	int r = session_take(&session, &frame);

	if (r == 0 && type == FRAME_STDIN)
		taken += size;
	if (r == 0 && type == FRAME_CREDIT_MORE && bytes[0] == CHANNEL_STDOUT)
		granted += get_u32(bytes + 1);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	int r = 0;

	if (peer < 0)
		start();
	begin(take_u8(&in) & 1);
	while (in.left > 0 && r == 0) {
		uint8_t what = take_u8(&in);
		size_t length;
		uint8_t *bytes = take_copy(&in, take_u16(&in), &length);

		if (what < LOCAL)
			process_does(what, bytes, length);
		else
			r = take(what, bytes, length);
		free(bytes);
		read_peer();
		HOLDS(session.relay.input.size <= FRAME_CREDIT && session.relay.output[0].credit <= FRAME_CREDIT);
	}
	session_release(&session);
	close_end(&process_in);
	close_end(&process_out);
	read_peer();
	return 0;
}
