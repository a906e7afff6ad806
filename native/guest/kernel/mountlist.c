/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/mountlist.h"

#include <stddef.h>
#include <string.h>

/* Undo the octal escapes of /proc/self/mountinfo in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

int mount_points(char *info, char **points)
{
	int count = 0;
	char *line, *field = NULL;

	while ((line = strsep(&info, "\n"))) {
		for (int i = 0; i < 5 && line; i++)
			field = strsep(&line, " ");
		if (!line || count == MOUNTS_MAX)
			continue;
		unescape(field);
		points[count++] = field;
	}
	return count;
}
