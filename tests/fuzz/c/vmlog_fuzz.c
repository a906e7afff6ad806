/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM leaves: ids that are file names, and files copied with bounds. The input: first u16, last u16, the file. */
#include "fuzz.h"

#include "host/keep/vmlog.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GAP_MAX = 64 };

static void ids(struct bytes in)
{
	char *id = take_text(&in);

	if (vmlog_check_id(id) == 0)
		HOLDS(id[0] && strlen(id) < 256 && !strchr(id, '/') && strcmp(id, ".") != 0 && strcmp(id, "..") != 0);
	free(id);
}

static void check(const uint8_t *all, size_t size, const uint8_t *copy, size_t copied, size_t first, size_t last)
{
	if (size <= first + last) {
		HOLDS(copied == size && memcmp(copy, all, size) == 0);
		return;
	}
	HOLDS(copied >= first + last && copied <= first + last + GAP_MAX);
	HOLDS(memcmp(copy, all, first) == 0 && memcmp(copy + copied - last, all + size - last, last) == 0);
	HOLDS(last == 0 || memmem(copy + first, copied - first - last, "bytes are left out]\n", 20));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int directory = -1;
	static char place[] = "/tmp/dkvm-fuzz-vmlog-XXXXXX";
	struct bytes in = {data, size};

	ids(in);
	size_t first = take_u16(&in), last = take_u16(&in);

	if (directory < 0) {
		HOLDS(mkdtemp(place));
		directory = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	int from = openat(directory, "log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int to = memfd_create("copy", MFD_CLOEXEC);

	HOLDS(from >= 0 && to >= 0 && write(from, in.at, in.left) == (ssize_t)in.left);
	HOLDS(vmlog_copy(directory, "log", to, (off_t)first, (off_t)last) == 0);
	size_t room = in.left + first + last + 2 * GAP_MAX;
	uint8_t *copy = malloc(room);
	ssize_t copied = copy ? pread(to, copy, room, 0) : -1;

	HOLDS(copied >= 0 && (size_t)copied < room);
	check(in.at, in.left, copy, (size_t)copied, first, last);
	free(copy);
	close(from);
	close(to);
	unlinkat(directory, "log", 0);
	return 0;
}
