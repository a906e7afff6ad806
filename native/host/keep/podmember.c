/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keep/podmember.h"

#include "host/keep/vmlog.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define FLAGS                                                                                                          \
	(unsigned long)(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME |      \
			MS_STRICTATIME | MS_SLAVE)

#define VOLUMES "volumes"

enum { FIRST_NUMBER = 2, FIELDS = 4 };

/* Decimal digits and no more, as they are printed. */
static bool parse_number(const char *text, unsigned long limit, unsigned long *number)
{
	size_t size = strlen(text);

	if (size == 0 || size >= POD_NUMBER_SIZE || strspn(text, "0123456789") != size || (text[0] == '0' && size > 1))
		return false;
	*number = strtoul(text, NULL, 10);
	return *number <= limit;
}

/* One name, of letters that no link and no other directory is made of. */
static bool is_slots_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size <= NAME_MAX && strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz.") == size &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Cut a line at its tabs; false where there are not just so many fields. */
static bool split(char *line, char **fields, int count)
{
	for (int i = 0; i < count; i++) {
		char *end = line + strcspn(line, "\t");
		bool last = *end == '\0';

		fields[i] = line;
		*end = '\0';
		line = end + 1;
		if (last)
			return i == count - 1;
	}
	return false;
}

static int parse_first(char *line, struct pod_member *member, struct failure *failure)
{
	char *fields[2];
	unsigned long number;

	if (!split(line, fields, 2) || vmlog_check_id(fields[0]) < 0 || !parse_number(fields[1], UINT32_MAX, &number) ||
	    number < FIRST_NUMBER)
		return fail(failure, -EINVAL, "its first line is not a container's id and a number");
	strcpy(member->number, fields[1]);
	member->pod = fields[0];
	return 0;
}

/* "NUMBER/NAME", with the member's own number, or "volumes/NAME". */
static bool parse_name(const struct pod_member *member, char *text, struct pod_slot *slot)
{
	char *slash = strchr(text, '/');

	if (!slash)
		return false;
	*slash = '\0';
	slot->name = slash + 1;
	slot->volume = strcmp(text, VOLUMES) == 0;
	slot->file = !slot->volume && slot->name[0] == 'f';
	return (slot->volume || strcmp(text, member->number) == 0) && is_slots_name(slot->name);
}

static bool parse_slot(const struct pod_member *member, char *line, struct pod_slot *slot)
{
	char *fields[FIELDS];
	unsigned long recursive;

	if (!split(line, fields, FIELDS) || !parse_name(member, fields[0], slot) ||
	    !parse_number(fields[1], ULONG_MAX, &slot->flags) || (slot->flags & ~FLAGS) != 0 ||
	    !parse_number(fields[2], 1, &recursive))
		return false;
	slot->recursive = recursive == 1;
	slot->source = fields[3];
	return slot->source[0] == '/' && strlen(slot->source) < PATH_MAX;
}

int pod_member_parse(char *text, size_t size, struct pod_member *member, struct failure *failure)
{
	bool whole = strlen(text) == size;

	*member = (struct pod_member){.count = 0};
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		int r = 0;
		if (line == text)
			r = parse_first(line, member, failure);
		else if (!whole)
			r = fail(failure, -EINVAL, "it has a NUL");
		else if (!next && !*line)
			break;
		else if (member->count == POD_SLOTS_MAX)
			r = fail(failure, -EINVAL, "it has more than %d slots", POD_SLOTS_MAX);
		else if (!parse_slot(member, line, &member->slots[member->count]))
			r = fail(failure, -EINVAL, "its line %zu is not a slot with flags and a source",
				 member->count + 2);
		else
			member->count++;
		if (r < 0)
			return r;
	}
	return whole ? 0 : fail(failure, -EINVAL, "it has a NUL");
}
