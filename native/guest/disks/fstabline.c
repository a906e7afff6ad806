/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/fstab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A space, a tab, a newline or a backslash as \ooo. */
static int add_field(char *line, size_t size, size_t *at, const char *text, char end)
{
	for (; *text; text++) {
		bool plain = !strchr(" \t\n\\", *text);
		int n = snprintf(line + *at, size - *at, plain ? "%c" : "\\%03o", (unsigned char)*text);
		if (n < 0 || (size_t)n >= size - *at)
			return -ENAMETOOLONG;
		*at += (size_t)n;
	}
	if (size - *at < 2)
		return -ENAMETOOLONG;
	line[(*at)++] = end;
	line[*at] = '\0';
	return 0;
}

int fstab_line(char *line, size_t size, const char *device, const char *target, const char *type, const char *options)
{
	/* neither dumped nor checked: the agent has it mounted by then */
	const char *const fields[] = {device, target, type, options[0] ? options : "defaults", "0", "0"};
	size_t at = 0;

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (add_field(line, size, &at, fields[i], i + 1 < sizeof fields / sizeof fields[0] ? ' ' : '\n') < 0)
			return -ENAMETOOLONG;
	return (int)at;
}
