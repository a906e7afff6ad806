/* SPDX-License-Identifier: Apache-2.0 */
/* A line of fstab is read by the C library as what it was made of. Four fields, divided by NULs. */
#include "fuzz.h"

#include "guest/disks/fstab.h"

#include <mntent.h>

enum { LINE_SIZE = 512 };

static void check(const char *line, char *const field[4])
{
	char text[LINE_SIZE + 1], buffer[LINE_SIZE];
	struct mntent entry;

	snprintf(text, sizeof text, "%s", line);
	FILE *file = fmemopen(text, strlen(text), "r");

	HOLDS(file);
	struct mntent *read = getmntent_r(file, &entry, buffer, sizeof buffer);

	HOLDS(read && strcmp(read->mnt_fsname, field[0]) == 0 && strcmp(read->mnt_dir, field[1]) == 0);
	HOLDS(strcmp(read->mnt_type, field[2]) == 0);
	HOLDS(strcmp(read->mnt_opts, field[3][0] ? field[3] : "defaults") == 0);
	HOLDS(!getmntent_r(file, &entry, buffer, sizeof buffer));
	fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	size_t room = 1 + take_u16(&in) % LINE_SIZE;
	char *field[4], *line = malloc(room);

	HOLDS(line);
	for (int i = 0; i < 4; i++)
		field[i] = take_text(&in);
	int n = fstab_line(line, room, field[0], field[1], field[2], field[3]);
	HOLDS(n < 0 || ((size_t)n < room && strlen(line) == (size_t)n && line[n - 1] == '\n'));
	HOLDS(n < 0 || strchr(line, '\n') == line + n - 1);
	/* the first three are DKVM's own, never empty, and no comment */
	if (n > 0 && field[0][0] == '/' && field[1][0] == '/' && field[2][0])
		check(line, field);
	for (int i = 0; i < 4; i++)
		free(field[i]);
	free(line);
	return 0;
}
