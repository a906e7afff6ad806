/* SPDX-License-Identifier: Apache-2.0 */
/* What dkvm-init opens for a program that it starts, whatever a monitor asks for that is not its own any more. */
#include "sandbox/init/starter.h"

#include "common/files.h"
#include "common/frame.h"
#include "common/session_socket.h"
#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE = 20, /* s */ ANSWER_HEADER = 3 };

static const char program[] = "/opt/dkvm/dkvm-exhaust";
static char directory[] = "/tmp/starter-XXXXXX", listener[PATH_MAX];

static const char *in_directory(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void put(uint8_t *request, size_t *size, const void *bytes, size_t length)
{
	memcpy(request + *size, bytes, length);
	*size += length;
}

/* Ask for a program that has this open; what is answered: its kind, and its text. */
static enum starter_answer ask(enum starter_how how, const char *path, char text[static LAUNCH_TEXT])
{
	uint8_t request[1024], header[] = {STARTER_EXHAUST, 0, 1, 1, 0, 0, 0, (uint8_t)how, STARTER_FIRST};
	size_t size = STARTER_LENGTH;
	uint8_t answer[ANSWER_HEADER + LAUNCH_TEXT];
	auto_close int fd = session_socket_connect(listener, 0);

	put(request, &size, header, sizeof header);
	put(request, &size, path, strlen(path) + 1);
	put(request, &size, program, sizeof program);
	put_u32(request, (uint32_t)(size - STARTER_LENGTH));
	text[0] = '\0';
	if (fd < 0 || write(fd, request, size) != (ssize_t)size)
		return 0;
	for (;;) {
		struct pollfd polls[STARTER_POLLS + 1];
		size_t count = starter_polls(polls);

		polls[count] = (struct pollfd){fd, POLLIN, 0};
		poll(polls, count + 1, -1);
		if (polls[count].revents)
			break;
		starter_ready(polls, count);
	}
	ssize_t n = read(fd, answer, sizeof answer);
	if (n < ANSWER_HEADER)
		return 0;
	size_t length = get_u16(answer + 1);
	memcpy(text, answer + ANSWER_HEADER, length < LAUNCH_TEXT ? length : 0);
	text[length < LAUNCH_TEXT ? length : 0] = '\0';
	return (enum starter_answer)answer[0];
}

static void nothing_but_a_terminal_is_read_or_written(void)
{
	static const enum starter_how ways[] = {STARTER_READ, STARTER_WRITE};
	char text[LAUNCH_TEXT];

	CHECK(mkfifo(in_directory("fifo"), 0600) == 0);
	auto_close int file = open(in_directory("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(file >= 0);
	for (int i = 0; i < 2; i++) {
		/* its other end never comes: it is not waited for */
		CHECK(ask(ways[i], in_directory("fifo"), text) == STARTER_FAILED);
		CHECK(strstr(text, i == 0 ? "fifo\" is no terminal" : "fifo\" "));
		CHECK(ask(ways[i], in_directory("file"), text) == STARTER_FAILED && strstr(text, "is no terminal"));
		CHECK(ask(ways[i], "/dev/null", text) == STARTER_FAILED && strstr(text, "is no terminal"));
	}
}

static void a_terminal_is_handed_over(void)
{
	char text[LAUNCH_TEXT];
	auto_close int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	CHECK(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	/* where there is no such program, it fails after that */
	enum starter_answer answer = ask(STARTER_READ, ptsname(terminal), text);
	CHECK(answer == STARTER_STARTED || (answer == STARTER_FAILED && strstr(text, "terminal") == NULL));
}

int main(void)
{
	static struct starter_rights none;

	if (!mkdtemp(directory))
		return 2;
	snprintf(listener, sizeof listener, "%s/starter.sock", directory);
	if (starter_open(listener, &none) < 0)
		return 2;
	starter_serve(getpid());
	alarm(PATIENCE);
	test("nothing but a terminal is read or written", nothing_but_a_terminal_is_read_or_written);
	test("a terminal is handed over", a_terminal_is_handed_over);
	unlink(in_directory("fifo"));
	unlink(in_directory("file"));
	unlink(listener);
	rmdir(directory);
	return tests_end();
}
