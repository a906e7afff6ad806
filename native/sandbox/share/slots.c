/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/share/slots.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool slots_name(const char *path, char slot[static SLOT_MOST + 1], const char **rest)
{
	size_t size = path[0] == '/' ? strcspn(path + 1, "/") : 0;

	if (size == 0 || size > SLOT_MOST)
		return false;
	memcpy(slot, path + 1, size);
	slot[size] = '\0';
	*rest = path + 1 + size;
	*rest += strspn(*rest, "/");
	return is_slot(slot);
}

int slots_open_slot(int share, const char *path, const char **rest)
{
	char slot[SLOT_MOST + 1];

	return slots_name(path, slot, rest) ? open_beneath(share, slot, O_PATH | O_NOFOLLOW) : -EINVAL;
}

int slots_open(int share, const char *path)
{
	const char *rest;
	int fd = slots_open_slot(share, path, &rest);

	if (fd >= 0 && rest[0]) {
		auto_close int slot = fd;
		fd = open_beneath(slot, rest, O_PATH | O_NOFOLLOW);
	}
	int r = fd < 0 ? fd : check_kind(fd);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}
