/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/events/slots.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_MOST = 10 }; /* letters of a slot's name */

/* A number, with an f before that of a single file: see Slots.java. */
static bool is_slot(const char *name)
{
	size_t letters = name[0] == 'f';
	size_t digits = strspn(name + letters, "0123456789");

	return digits > 0 && letters + digits <= SLOT_MOST && name[letters + digits] == '\0';
}

static int check_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) ? 0 : -EOPNOTSUPP;
}

int slots_open(int share, const char *path)
{
	char slot[SLOT_MOST + 1] = "";
	size_t size = path[0] == '/' ? strcspn(path + 1, "/") : 0;

	if (size == 0 || size >= sizeof slot)
		return -EINVAL;
	memcpy(slot, path + 1, size);
	if (!is_slot(slot))
		return -EINVAL;
	const char *rest = path + 1 + size;
	rest += strspn(rest, "/");
	/* mounts below a slot are the container's as well */
	int fd = open_beneath(share, slot, O_PATH | O_NOFOLLOW);
	if (fd >= 0 && rest[0]) {
		auto_close int root = fd;
		fd = open_beneath(root, rest, O_PATH | O_NOFOLLOW);
	}
	int r = fd < 0 ? fd : check_kind(fd);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}
