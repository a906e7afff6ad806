/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/share/slots.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_MOST = 10 }; /* digits */

#define DIGITS "0123456789"

/* The size of the name that a text begins with, where it is a number, with an f before that of a single file: see Slots.java. */
static size_t number_size(const char *text)
{
	size_t letters = text[0] == 'f';
	size_t digits = strspn(text + letters, DIGITS);
	size_t size = digits > 0 && letters + digits <= NUMBER_MOST ? letters + digits : 0;

	return text[size] == '/' || text[size] == '\0' ? size : 0;
}

/* … where it is that of a volume, whose name a create chose. */
static size_t volume_size(const char *text)
{
	size_t size = text[0] == '.' ? 0 : strspn(text, DIGITS "abcdefghijklmnopqrstuvwxyz.");

	return text[size] == '/' || text[size] == '\0' ? size : 0;
}

/* The size of the slot's path that a text begins with; 0: it is none. */
static size_t slot_size(const char *text)
{
	static const char pod[] = "pod/", volumes[] = "volumes/";
	size_t prefix = strncmp(text, pod, sizeof pod - 1) == 0 ? sizeof pod - 1 : 0;

	if (prefix == 0)
		return number_size(text);
	if (strncmp(text + prefix, volumes, sizeof volumes - 1) == 0) {
		prefix += sizeof volumes - 1;
		size_t volume = volume_size(text + prefix);
		return volume > 0 ? prefix + volume : 0;
	}
	size_t member = text[prefix] == 'f' ? 0 : number_size(text + prefix);
	if (member == 0 || text[prefix + member] != '/')
		return 0;
	prefix += member + 1;
	size_t own = number_size(text + prefix);
	return own > 0 ? prefix + own : 0;
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
	size_t size = path[0] == '/' ? slot_size(path + 1) : 0;

	if (size == 0 || size > SLOT_MOST)
		return false;
	memcpy(slot, path + 1, size);
	slot[size] = '\0';
	*rest = path + 1 + size;
	*rest += strspn(*rest, "/");
	return true;
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
