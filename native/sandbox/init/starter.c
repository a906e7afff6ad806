/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/starter.h"

#include "common/files.h"
#include "common/frame.h"
#include "common/session_socket.h"
#include "sandbox/client/say.h"
#include "sandbox/backing/backing.h"
#include "sandbox/init/template.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ANSWER_HEADER = 3, /* bytes */
	WORDS_MOST = 4096, /* bytes in one answer */
	SIGNAL_BASE = 128,
	ENVIRONMENT_MOST = 32, /* variables of our own that are handed on */
};

struct child {
	int connection; /* -1: the place is free */
	int words;      /* what it writes; -1 when that has ended */
	pid_t pid;
	bool hung_up; /* the monitor sends no more */
	bool ended;
	bool last; /* what waits is the last answer */
	int code;
	size_t used, sent; /* of the answer that waits */
	uint8_t answer[ANSWER_HEADER + WORDS_MOST];
};

static struct child children[STARTER_CHILDREN];
static int listener = -1;
static pid_t client;
static const struct starter_rights *all_rights;

/* The request that is being received; one at a time. */
static struct {
	int connection; /* -1: none */
	size_t received;
	char bytes[STARTER_LENGTH + STARTER_MOST];
} incoming = {.connection = -1};

int starter_open(const char *path, const struct starter_rights *rights)
{
	for (int i = 0; i < STARTER_CHILDREN; i++)
		children[i].connection = -1;
	all_rights = rights;
	listener = session_socket_listen(path);
	if (listener < 0)
		return listener;
	return fcntl(listener, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

void starter_serve(pid_t monitor)
{
	client = monitor;
}

static void put_answer(struct child *child, enum starter_answer kind, size_t length)
{
	child->answer[0] = (uint8_t)kind;
	put_u16(child->answer + 1, (uint16_t)length);
	child->used = ANSWER_HEADER + length;
	child->sent = 0;
}

static void put_number(struct child *child, enum starter_answer kind, uint32_t number)
{
	put_u32(child->answer + ANSWER_HEADER, number);
	put_answer(child, kind, 4);
}

static void forget(struct child *child)
{
	close(child->connection);
	close_clear(&child->words);
	child->connection = -1;
	child->pid = 0;
}

/* After the last answer the place is free. */
static void flush(struct child *child)
{
	ssize_t n = send(child->connection, child->answer + child->sent, child->used - child->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		child->sent += (size_t)n;
	/* nobody hears it any more */
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		child->sent = child->used;
	if (child->sent < child->used)
		return;
	child->sent = child->used = 0;
	if (child->last)
		forget(child);
}

/* The next thing to tell: first all that it wrote, then its end. */
static void tell_next(struct child *child)
{
	ssize_t n = 0;

	if (child->used > 0)
		return;
	if (child->words >= 0) {
		n = read(child->words, child->answer + ANSWER_HEADER, WORDS_MOST);
		/* what it started and left behind may hold the pipe */
		if (n == 0 || (n < 0 && errno == EAGAIN && child->ended))
			close_clear(&child->words);
	}
	if (n > 0) {
		put_answer(child, STARTER_WORDS, (size_t)n);
	} else if (child->words < 0 && child->ended) {
		child->last = true;
		put_number(child, STARTER_ENDED, (uint32_t)child->code);
	}
	if (child->used > 0)
		flush(child);
}

void starter_reaped(pid_t pid, int status)
{
	for (int i = 0; i < STARTER_CHILDREN; i++) {
		struct child *child = &children[i];

		if (child->connection < 0 || child->pid != pid)
			continue;
		child->ended = true;
		child->pid = 0;
		child->code = WIFSIGNALED(status) ? SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static int connect_to(const char *path)
{
	int fd = session_socket_connect(path, 0);

	/* programs take it for one that blocks */
	return fd < 0 ? fd : fcntl(fd, F_SETFL, 0) < 0 ? -errno : fd;
}

/* Cut where it is too long: it is for people. */
static void explain(struct launch_fault *fault, const char *object, const char *path, const char *why)
{
	if (snprintf(fault->text, sizeof fault->text, "%s\"%s\" %s", object, path, why) >= (int)sizeof fault->text)
		fault->text[sizeof fault->text - 1] = '\0';
}

/* Nothing else is read or written so: the monitor, which names the path, has less rights than we. A FIFO is not waited for. */
static int open_terminal(const char *path, int mode)
{
	int fd = open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r = fd < 0 ? -errno : !isatty(fd) ? -ENOTTY : fcntl(fd, F_SETFL, 0) < 0 ? -errno : fd;

	if (r < 0)
		close_clear(&fd);
	return r;
}

static int open_one(const struct starter_descriptor *descriptor, struct launch_fault *fault)
{
	struct failure why;
	int fd = -EINVAL;

	switch (descriptor->how) {
	case STARTER_CONNECT:
		fd = connect_to(descriptor->path);
		break;
	case STARTER_READ:
	case STARTER_WRITE:
		fd = open_terminal(descriptor->path, descriptor->how == STARTER_READ ? O_RDONLY : O_WRONLY);
		if (fd == -ENOTTY) {
			explain(fault, "", descriptor->path, "is no terminal");
			return fd;
		}
		break;
	case STARTER_DISK: {
		int r = backing_open(descriptor->root, descriptor->path, &fd, &why);

		if (r == 0)
			return fd;
		explain(fault, "disk ", descriptor->path, why.text);
		return r;
	}
	case STARTER_MEMORY:
		return template_memory(fault);
	case STARTER_STATE:
		return template_state(fault);
	}
	if (fd < 0)
		explain(fault, "", descriptor->path, reason(fd));
	return fd;
}

static int open_all(void *argument, int fds[static LAUNCH_HANDED], int numbers[static LAUNCH_HANDED],
		    struct launch_fault *fault)
{
	const struct starter_request *request = argument;

	for (size_t i = 0; i < request->descriptor_count; i++) {
		int fd = open_one(&request->descriptors[i], fault);

		if (fd < 0)
			return fd;
		/* above all numbers that programs know */
		fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, STARTER_LAST + 1);
		if (fds[i] < 0)
			return -errno;
		close(fd);
		numbers[i] = request->descriptors[i].number;
	}
	return (int)request->descriptor_count;
}

/* Ours, which is the same in every sandbox, and what the request adds. */
static char *const *environment(const struct starter_request *request)
{
	static char *variables[ENVIRONMENT_MOST + STARTER_VARIABLES + 1];
	size_t count = 0;

	for (char **p = environ; *p && count < ENVIRONMENT_MOST; p++)
		variables[count++] = *p;
	for (size_t i = 0; i < request->variable_count; i++)
		variables[count++] = request->variables[i];
	variables[count] = NULL;
	return variables;
}

static void start(struct child *child, struct starter_request *request)
{
	int words[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct launch_fault fault = {.error = -EMFILE};

	if (null >= 0 && pipe2(words, O_CLOEXEC) == 0) {
		enum starter_kind kind = request->kind;
		const struct launch launch = {
			.argv = request->arguments,
			.environment = environment(request),
			.rights = all_rights->given[kind] ? &all_rights->of[kind] : NULL,
			.confined = kind == STARTER_VIRTIOFSD || kind == STARTER_SOCKETS || kind == STARTER_LOCKS ||
				    kind == STARTER_EVENTS,
			/* its sockets are dkvm-web's as well, by their group */
			.mask = kind == STARTER_QEMU ? S_IRWXO : 0,
			.standard = {request->terminal ? STDIN_FILENO : null,
				     request->terminal ? STDOUT_FILENO : words[1], words[1]},
			.open = open_all,
			.argument = request,
		};

		child->pid = launch_start(&launch, &fault);
		/* the VM has it, or has been started without */
		if (kind == STARTER_QEMU)
			template_end();
		close(words[1]);
		child->words = words[0];
		fcntl(words[0], F_SETFL, O_NONBLOCK);
	}
	close(null);
	if (child->pid > 0) {
		put_number(child, STARTER_STARTED, (uint32_t)child->pid);
		flush(child);
		return;
	}
	const char *text = fault.text[0] ? fault.text : reason(fault.error);
	size_t length = strnlen(text, LAUNCH_TEXT);

	memcpy(child->answer + ANSWER_HEADER, text, length);
	put_answer(child, STARTER_FAILED, length);
	child->last = true;
	flush(child);
}

/* A request is whole. */
static void take_request(void)
{
	static struct starter_request request;
	struct child *child = children;

	while (child->connection >= 0)
		child++; /* there is one: no connection is accepted without */
	*child = (struct child){.connection = incoming.connection, .words = -1};
	incoming.connection = -1;
	if (starter_request_read(&request, incoming.bytes + STARTER_LENGTH, incoming.received - STARTER_LENGTH))
		start(child, &request);
	else
		forget(child);
}

static void drop_request(void)
{
	close(incoming.connection);
	incoming.connection = -1;
}

static void receive(void)
{
	/* the request and not a byte more: signals come after it */
	size_t whole = STARTER_LENGTH;

	for (;;) {
		if (incoming.received >= STARTER_LENGTH) {
			uint32_t length = get_u32((const uint8_t *)incoming.bytes);

			if (length == 0 || length > STARTER_MOST) {
				drop_request();
				return;
			}
			whole = STARTER_LENGTH + length;
			if (incoming.received == whole) {
				take_request();
				return;
			}
		}
		ssize_t n = recv(incoming.connection, incoming.bytes + incoming.received, whole - incoming.received,
				 MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			drop_request();
			return;
		}
		incoming.received += (size_t)n;
	}
}

static void accept_one(void)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || client == 0 || peer.pid != client) {
		close(fd);
		return;
	}
	incoming.connection = fd;
	incoming.received = 0;
	receive();
}

static void take_signals(struct child *child)
{
	uint8_t numbers[16];
	ssize_t n = recv(child->connection, numbers, sizeof numbers, MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++)
		if (child->pid > 0)
			kill(child->pid, numbers[i]);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		child->hung_up = true;
		if (child->pid > 0)
			kill(child->pid, SIGKILL);
	}
}

static bool has_room(void)
{
	for (int i = 0; i < STARTER_CHILDREN; i++)
		if (children[i].connection < 0)
			return true;
	return false;
}

size_t starter_polls(struct pollfd *polls)
{
	size_t count = 0;
	/* its end may have come since */
	for (int i = 0; i < STARTER_CHILDREN; i++)
		if (children[i].connection >= 0 && children[i].ended)
			tell_next(&children[i]);
	polls[count++] = (struct pollfd){incoming.connection >= 0 ? incoming.connection
					 : has_room()             ? listener
								  : -1,
					 POLLIN, 0};
	for (int i = 0; i < STARTER_CHILDREN; i++) {
		const struct child *child = &children[i];
		short waits = child->used > 0 ? POLLOUT : 0, hears = child->hung_up ? 0 : POLLIN;

		/* what has nothing to do stays out: a hang-up would wake us again and again */
		polls[count++] = (struct pollfd){waits || hears ? child->connection : -1, (short)(waits | hears), 0};
		polls[count++] =
			(struct pollfd){child->connection >= 0 && child->used == 0 ? child->words : -1, POLLIN, 0};
	}
	return count;
}

void starter_ready(const struct pollfd *polls, size_t count)
{
	if (count < STARTER_POLLS)
		return;
	for (int i = 0; i < STARTER_CHILDREN; i++) {
		struct child *child = &children[i];
		const struct pollfd *connection = &polls[1 + 2 * i], *words = connection + 1;

		if (child->connection < 0 || child->connection != connection->fd)
			continue;
		if (connection->revents & (POLLIN | POLLHUP | POLLERR))
			take_signals(child);
		if (child->used > 0 && connection->revents & (POLLOUT | POLLHUP | POLLERR))
			flush(child);
		if (child->connection >= 0 && words->revents)
			tell_next(child);
	}
	if (polls[0].revents && incoming.connection >= 0)
		receive();
	else if (polls[0].revents)
		accept_one();
}
