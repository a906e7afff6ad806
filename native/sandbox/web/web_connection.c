/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/web/web_connection.h"

#include "common/files.h"
#include "sandbox/web/http_request.h"
#include "sandbox/web/web_answer.h"
#include "sandbox/web/web_frames.h"
#include "sandbox/web/web_pages.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	PIPE = 16384,             /* bytes; no head of a request is larger */
	ASKING_MILLIS = 10000,    /* for a whole request */
	ANSWERING_MILLIS = 60000, /* for a whole answer */
	LEAVING_MILLIS = 2000,    /* for what was sent and nobody reads: a reset would take the answer with it */
	LOGGED_IN = 512,          /* bytes of data from QEMU: before somebody has logged in there are less */
	KEEPALIVE_SECONDS = 60,   /* of silence before a browser is asked whether it is there */
	KEEPALIVE_INTERVAL = 15,  /* s */
	KEEPALIVE_PROBES = 4,     /* without an answer */
	UNHEARD_MILLIS = 120000,  /* that what is sent may stay without an acknowledgement */
};

enum state { FREE, ASKING, ANSWERING, LEAVING, SCREEN };

struct pipe_buffer {
	size_t start, end;
	char bytes[PIPE];
};

struct connection {
	enum state state;
	int client, screen; /* -1: none */
	int64_t since;      /* when it came into this state, ms */
	const char *page;   /* what is left of it */
	size_t page_left;
	uint64_t heard; /* bytes of data from the screen: what answers a ping is none */
	struct frames frames;
	bool ended; /* QEMU sends no more */
	struct pipe_buffer up, down;
};

static struct connection connections[CONNECTIONS_MOST];
static struct sockaddr_un screen_address;

void connections_open(const char *screen)
{
	for (int i = 0; i < CONNECTIONS_MOST; i++)
		connections[i].client = connections[i].screen = -1;
	screen_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(screen_address.sun_path, sizeof screen_address.sun_path, "%s", screen);
}

static void drop(struct connection *connection)
{
	close_clear(&connection->client);
	close_clear(&connection->screen);
	connection->state = FREE;
}

static void enter(struct connection *connection, enum state state, int64_t now)
{
	connection->state = state;
	connection->since = now;
}

static bool is_empty(const struct pipe_buffer *pipe)
{
	return pipe->start == pipe->end;
}

/* Of the screens that nobody has logged in to, or of what is no screen. */
static struct connection *oldest(bool screens)
{
	struct connection *found = NULL;

	for (int i = 0; i < CONNECTIONS_MOST; i++) {
		struct connection *it = &connections[i];
		bool counts = screens ? it->state == SCREEN && it->heard <= LOGGED_IN
				      : it->state != FREE && it->state != SCREEN;

		if (counts && (!found || it->since < found->since))
			found = it;
	}
	return found;
}

void connections_add(int client, int64_t now)
{
	struct connection *place = NULL;

	for (int i = 0; i < CONNECTIONS_MOST && !place; i++)
		if (connections[i].state == FREE)
			place = &connections[i];
	if (!place && (place = oldest(false)))
		drop(place);
	if (!place) {
		close(client);
		return;
	}
	place->client = client;
	place->ended = false;
	place->heard = 0;
	place->frames = (struct frames){0};
	place->page_left = 0;
	place->up.start = place->up.end = place->down.start = place->down.end = 0;
	enter(place, ASKING, now);
}

/* false: the other side is gone. */
static bool fill(struct pipe_buffer *pipe, int fd, uint64_t *count)
{
	ssize_t n = recv(fd, pipe->bytes + pipe->end, sizeof pipe->bytes - pipe->end, 0);

	if (n > 0) {
		pipe->end += (size_t)n;
		*count += (uint64_t)n;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool pour(const char **bytes, size_t *left, int fd)
{
	while (*left > 0) {
		ssize_t n = send(fd, *bytes, *left, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		*bytes += n;
		*left -= (size_t)n;
	}
	return true;
}

static bool drain(struct pipe_buffer *pipe, int fd)
{
	const char *bytes = pipe->bytes + pipe->start;
	size_t left = pipe->end - pipe->start;
	bool good = pour(&bytes, &left, fd);

	pipe->start = pipe->end - left;
	if (left == 0)
		pipe->start = pipe->end = 0;
	return good;
}

/* A browser that went without a word is found out by the kernel. */
static void watch_over(int fd)
{
	static const int options[][3] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_SECONDS},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, UNHEARD_MILLIS},
		{IPPROTO_TCP, TCP_NODELAY, 1},
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		setsockopt(fd, options[i][0], options[i][1], &options[i][2], sizeof options[i][2]);
}

static int connect_to_screen(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&screen_address, sizeof screen_address) < 0)
		close_clear(&fd);
	return fd;
}

static bool has_room_for_screen(void)
{
	int count = 0;

	for (int i = 0; i < CONNECTIONS_MOST; i++)
		count += connections[i].state == SCREEN;
	if (count < SCREENS_MOST)
		return true;
	struct connection *dropped = oldest(true);
	if (dropped)
		drop(dropped);
	return dropped != NULL;
}

/* What QEMU is sent is a request of our own, and then what the browser has sent after its. */
static enum http_status begin_screen(struct connection *connection, const struct http_request *request)
{
	char head[ANSWER_MOST];
	struct pipe_buffer *up = &connection->up;
	size_t size = answer_upgrade(head, request), more = up->end - request->size;

	if (size + more > sizeof up->bytes)
		return HTTP_BAD_REQUEST;
	if (!has_room_for_screen() || (connection->screen = connect_to_screen()) < 0)
		return HTTP_UNAVAILABLE;
	memmove(up->bytes + size, up->bytes + request->size, more);
	memcpy(up->bytes, head, size);
	up->end = size + more;
	watch_over(connection->client);
	return HTTP_OK;
}

static enum http_status begin_page(struct connection *connection, const struct http_request *request)
{
	const struct page *page = pages_find(request->path);

	if (!page)
		return HTTP_NOT_FOUND;
	connection->down.end = answer_page(connection->down.bytes, page);
	connection->page = page->bytes;
	connection->page_left = request->head ? 0 : page->size;
	return HTTP_OK;
}

static void answer(struct connection *connection, int64_t now)
{
	static struct http_request request;
	struct pipe_buffer *up = &connection->up;
	enum http_status status = http_request_read(&request, up->bytes, up->end);
	enum state next = ANSWERING;

	if (status == HTTP_INCOMPLETE && up->end < sizeof up->bytes)
		return;
	if (status == HTTP_INCOMPLETE) {
		status = HTTP_FIELDS_TOO_LARGE;
	} else if (status == HTTP_OK && strcmp(request.path, "/websockify") == 0) {
		status = request.upgrade ? begin_screen(connection, &request) : HTTP_UPGRADE_REQUIRED;
		next = status == HTTP_OK ? SCREEN : ANSWERING;
	} else if (status == HTTP_OK) {
		status = begin_page(connection, &request);
	}
	if (status != HTTP_OK)
		connection->down.end = answer_refusal(connection->down.bytes, status, request.head);
	enter(connection, next, now);
}

static void go_on_asking(struct connection *connection, int64_t now)
{
	uint64_t count = 0;

	if (!fill(&connection->up, connection->client, &count))
		drop(connection);
	else if (count > 0)
		answer(connection, now);
}

static void go_on_answering(struct connection *connection, int64_t now)
{
	int client = connection->client;
	bool good = drain(&connection->down, client);

	if (good && is_empty(&connection->down))
		good = pour(&connection->page, &connection->page_left, client);
	if (!good) {
		drop(connection);
	} else if (is_empty(&connection->down) && connection->page_left == 0) {
		shutdown(client, SHUT_WR);
		enter(connection, LEAVING, now);
	}
}

static void go_on_leaving(struct connection *connection)
{
	uint64_t count = 0;

	connection->up.start = connection->up.end = 0;
	if (!fill(&connection->up, connection->client, &count))
		drop(connection);
}

static void go_on_screen(struct connection *connection, short client, short screen)
{
	uint64_t count = 0;
	bool good = true;

	if (client & (POLLIN | POLLHUP | POLLERR) && is_empty(&connection->up))
		good = fill(&connection->up, connection->client, &count);
	if (screen & (POLLIN | POLLHUP | POLLERR) && is_empty(&connection->down)) {
		connection->ended = !fill(&connection->down, connection->screen, &count);
		connection->heard += frames_data(&connection->frames, connection->down.bytes, connection->down.end);
	}
	if (good && !is_empty(&connection->up) && !drain(&connection->up, connection->screen))
		connection->ended = true;
	if (good && !is_empty(&connection->down))
		good = drain(&connection->down, connection->client);
	if (!good || (connection->ended && is_empty(&connection->down)))
		drop(connection);
}

/* What is not waited for stays out: a hang-up would wake us again and again. */
static struct pollfd waits_for(int fd, bool in, bool out)
{
	return (struct pollfd){in || out ? fd : -1, (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)), 0};
}

void connections_polls(struct pollfd polls[static CONNECTION_POLLS])
{
	for (int i = 0; i < CONNECTIONS_MOST; i++) {
		const struct connection *it = &connections[i];
		bool up = !is_empty(&it->up), down = !is_empty(&it->down);
		struct pollfd *client = &polls[2 * i], *screen = client + 1;

		*client = *screen = waits_for(-1, false, false);
		switch (it->state) {
		case FREE:
			break;
		case ASKING:
		case LEAVING:
			*client = waits_for(it->client, true, false);
			break;
		case ANSWERING:
			*client = waits_for(it->client, false, true);
			break;
		case SCREEN:
			*client = waits_for(it->client, !up && !it->ended, down);
			*screen = waits_for(it->screen, !down && !it->ended, up && !it->ended);
			break;
		}
	}
}

/* -1: as long as it likes. */
static int64_t patience(enum state state)
{
	switch (state) {
	case FREE:
	case SCREEN:
		break;
	case ASKING:
		return ASKING_MILLIS;
	case ANSWERING:
		return ANSWERING_MILLIS;
	case LEAVING:
		return LEAVING_MILLIS;
	}
	return -1;
}

static void go_on(struct connection *connection, const struct pollfd polls[static 2], int64_t now)
{
	switch (connection->state) {
	case FREE: /* dropped for another one since */
		break;
	case ASKING:
		go_on_asking(connection, now);
		break;
	case ANSWERING:
		go_on_answering(connection, now);
		break;
	case LEAVING:
		go_on_leaving(connection);
		break;
	case SCREEN:
		go_on_screen(connection, polls[0].revents, polls[1].revents);
		break;
	}
}

void connections_ready(const struct pollfd polls[static CONNECTION_POLLS], int64_t now)
{
	for (int i = 0; i < CONNECTIONS_MOST; i++) {
		struct connection *it = &connections[i];

		if (polls[2 * i].revents || polls[2 * i + 1].revents)
			go_on(it, &polls[2 * i], now);
		int64_t most = patience(it->state);
		if (most >= 0 && now - it->since >= most)
			drop(it);
	}
}

int connections_patience(int64_t now)
{
	int64_t least = -1;

	for (int i = 0; i < CONNECTIONS_MOST; i++) {
		int64_t most = patience(connections[i].state), left = connections[i].since + most - now;

		if (most >= 0 && (least < 0 || left < least))
			least = left < 0 ? 0 : left;
	}
	return (int)least;
}
