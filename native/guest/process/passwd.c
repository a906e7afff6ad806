/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/passwd.h"

#include "common/files.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_SIZE = 1024,    /* bytes */
	FILE_MAX_SIZE = 4 << 20, /* bytes: a file without end must not hold the workload up */
	FIELDS = 7,              /* name:password:uid:gid:comment:home:shell */
	FIELD_NAME = 0,
	FIELD_UID = 2,
	FIELD_HOME = 5,
};

static bool line_field(const char *line, uint32_t uid, int wanted, char *text, size_t size)
{
	const char *field[FIELDS];
	size_t length[FIELDS] = {0};
	int count = 0;

	for (const char *at = line; at && count < FIELDS; count++) {
		field[count] = at;
		length[count] = strcspn(at, ":");
		at = at[length[count]] == ':' ? at + length[count] + 1 : NULL;
	}
	if (count <= FIELD_HOME || length[FIELD_UID] == 0 || !isdigit((unsigned char)field[FIELD_UID][0]))
		return false;
	char *end;
	unsigned long long found = strtoull(field[FIELD_UID], &end, 10);
	if (end != field[FIELD_UID] + length[FIELD_UID] || found != uid || length[wanted] >= size)
		return false;
	memcpy(text, field[wanted], length[wanted]);
	text[length[wanted]] = '\0';
	return true;
}

bool passwd_line_home(const char *line, uint32_t uid, char *home, size_t size)
{
	return line_field(line, uid, FIELD_HOME, home, size);
}

static bool find(const char *path, uint32_t uid, int wanted, char *text, size_t size)
{
	char piece[4096], line[LINE_MAX_SIZE];
	size_t used = 0, total = 0;
	bool found = false, too_long = false;
	ssize_t n = 0;
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	while (!found && fd >= 0 && total < FILE_MAX_SIZE && (n = read(fd, piece, sizeof piece)) > 0) {
		total += (size_t)n;
		for (ssize_t i = 0; i < n && !found; i++) {
			if (piece[i] != '\n') {
				too_long = too_long || used == sizeof line - 1;
				if (!too_long)
					line[used++] = piece[i];
				continue;
			}
			line[used] = '\0';
			found = !too_long && line_field(line, uid, wanted, text, size);
			used = 0;
			too_long = false;
		}
	}
	line[used] = '\0';
	return found || (!too_long && line_field(line, uid, wanted, text, size));
}

void passwd_home(const char *path, uint32_t uid, char *home, size_t size)
{
	if (!find(path, uid, FIELD_HOME, home, size))
		snprintf(home, size, "/");
}

bool passwd_name(const char *path, uint32_t uid, char *name, size_t size)
{
	return find(path, uid, FIELD_NAME, name, size) && name[0] != '\0';
}
