/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/template.h"

#include "common/files.h"
#include "common/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum {
	PIECE_HEADER = 16, /* bytes */
	AT_ONCE = 1 << 20, /* bytes: between them it is seen that nobody waits any more */
	PATIENCE = 5000,   /* ms: so long dkvm-init does nothing else */
};

static int state = -1;
static int memory = -1; /* being filled by a process of ours */
static int result = -1; /* where that says how it went: -errno, 4 bytes. Its end without: it was killed */

bool template_parse(struct template_option *option, char *text)
{
	char *colon = strrchr(text, ':'), *end;

	if (!colon || colon == text)
		return false;
	*colon = '\0';
	errno = 0;
	unsigned long long size = strtoull(colon + 1, &end, 10);
	option->directory = text;
	option->size = size;
	return errno == 0 && end > colon + 1 && *end == '\0' && size > 0 && size <= INT64_MAX;
}

static int told_to = -1; /* of the process that copies: who waits for it */

static bool is_awaited(void)
{
	struct pollfd waits = {.fd = told_to};

	/* the end of a pipe that nobody reads any more */
	return told_to < 0 || poll(&waits, 1, 0) == 0;
}

static int copy_piece(int from, int to, uint64_t offset, uint64_t length)
{
	if (lseek(to, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	while (length > 0) {
		ssize_t n = sendfile(to, from, NULL, length < AT_ONCE ? (size_t)length : AT_ONCE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		length -= (uint64_t)n;
		if (!is_awaited())
			return -ECANCELED;
	}
	return 0;
}

int template_copy(int from, int to, uint64_t size)
{
	uint8_t header[PIECE_HEADER];
	int r = 0;

	while (r == 0) {
		ssize_t n = read(from, header, sizeof header);
		uint64_t offset = get_u64(header), length = get_u64(header + 8);

		if (n == 0)
			return 0;
		if (n < 0)
			return -errno;
		if (n != PIECE_HEADER || length == 0 || length > size || offset > size - length)
			return -EBADMSG;
		r = copy_piece(from, to, offset, length);
	}
	return r;
}

static int open_file(const struct template_option *option, const char *name)
{
	auto_close int directory = open(option->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = directory < 0 ? -1 : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static _Noreturn void copy(const struct template_option *option, int told)
{
	uint8_t answer[4];
	int r;

	close_clear(&result);
	signal(SIGPIPE, SIG_IGN);
	told_to = told;
	r = open_file(option, "memory");

	if (r >= 0)
		r = template_copy(r, memory, option->size);
	put_u32(answer, (uint32_t)r);
	_exit(write(told, answer, sizeof answer) == sizeof answer ? 0 : 1);
}

void template_begin(const struct template_option *option)
{
	int told[2];

	if (!option->directory)
		return;
	state = open_file(option, "state");
	/* QEMU opens it by its descriptor's name, as a user of its own: anybody may who has that */
	memory = memfd_create("template", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, (off_t)option->size) < 0 || pipe2(told, O_CLOEXEC) < 0) {
		template_end();
		return;
	}
	pid_t pid = fork();

	if (pid == 0)
		copy(option, told[1]);
	close(told[1]);
	result = told[0];
}

int template_memory(struct launch_fault *fault)
{
	uint8_t answer[4];
	char text[64];
	struct pollfd told = {.fd = result, .events = POLLIN};
	int r = -ECHILD;

	if (memory >= 0 && poll(&told, 1, PATIENCE) == 0)
		r = -ETIMEDOUT;
	else if (memory >= 0 && read(result, answer, sizeof answer) == sizeof answer)
		r = (int)get_u32(answer);
	if (r == 0)
		return memory;
	if (r == -EBADMSG || r == -ENODATA) {
		snprintf(fault->text, sizeof fault->text, "the template's memory is damaged");
		return r;
	}
	snprintf(fault->text, sizeof fault->text, "the template's memory can not be copied: %s", error_text(r, text));
	return r;
}

int template_state(struct launch_fault *fault)
{
	if (state >= 0)
		return state;
	snprintf(fault->text, sizeof fault->text, "the template's state can not be read");
	return -ENOENT;
}

void template_end(void)
{
	close_clear(&state);
	close_clear(&memory);
	close_clear(&result);
}
