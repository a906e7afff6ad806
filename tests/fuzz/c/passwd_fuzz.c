/* SPDX-License-Identifier: Apache-2.0 */
/* A passwd file and a uid, its first two bytes: the file's answer is that of the first of its lines that has one. */
#include "fuzz.h"

#include "guest/process/passwd.h"

#include <sys/mman.h>
#include <unistd.h>

enum { HOME_SIZE = 64, LINE_SIZE = 1024 };

/* Line by line; those that are too long, and bytes behind a NUL, do not count. */
static void by_lines(struct bytes in, uint32_t uid, char *home)
{
	snprintf(home, HOME_SIZE, "/");
	while (in.left > 0) {
		const uint8_t *end = memchr(in.at, '\n', in.left);
		size_t size = end ? (size_t)(end - in.at) : in.left;
		char *line = calloc(1, size + 1);

		HOLDS(line);
		memcpy(line, in.at, size);
		bool found = size < LINE_SIZE && passwd_line_home(line, uid, home, HOME_SIZE);
		free(line);
		if (found)
			return;
		size += end != NULL;
		in.at += size;
		in.left -= size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	struct bytes in = {data, size};
	uint32_t uid = take_u16(&in);
	char path[64], home[HOME_SIZE], expected[HOME_SIZE];

	if (file < 0)
		file = memfd_create("passwd", MFD_CLOEXEC);
	HOLDS(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, in.at, in.left, 0) == (ssize_t)in.left);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	memset(home, 'x', sizeof home);
	passwd_home(path, uid, home, sizeof home);
	HOLDS(memchr(home, '\0', sizeof home));
	by_lines(in, uid, expected);
	HOLDS(strcmp(home, expected) == 0);
	return 0;
}
