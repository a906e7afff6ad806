/* SPDX-License-Identifier: Apache-2.0 */
/* What create tells dkvm-keep of a pod's member: what is taken can be written again as it was, and names nothing outside of its own directory. */
#include "fuzz.h"

#include "host/keep/podmember.h"

#include <errno.h>
#include <stdarg.h>

static bool is_name(const char *name)
{
	return name[0] && strlen(name) < 256 && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static size_t put(char *to, size_t size, size_t at, const char *format, ...) __attribute__((format(printf, 4, 5)));

static size_t put(char *to, size_t size, size_t at, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	int n = vsnprintf(to + at, size - at, format, list);
	va_end(list);
	HOLDS(n >= 0 && (size_t)n < size - at);
	return at + (size_t)n;
}

static void write_again(const struct pod_member *member, const char *data, size_t size)
{
	size_t room = size + 2, at;
	char *text = malloc(room);

	HOLDS(text);
	at = put(text, room, 0, "%s\t%s\n", member->pod, member->number);
	for (size_t i = 0; i < member->count; i++) {
		const struct pod_slot *slot = &member->slots[i];

		at = put(text, room, at, "%s/%s\t%lu\t%d\t%s\n", slot->volume ? "volumes" : member->number, slot->name,
			 slot->flags, slot->recursive, slot->source);
	}
	/* the last line's end may be missing */
	HOLDS(at == size + 1 || at == size);
	HOLDS(memcmp(text, data, size < at ? size : at) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pod_member member;
	struct failure failure = {""};
	char *text = malloc(size + 1);

	HOLDS(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	int r = pod_member_parse(text, size, &member, &failure);
	HOLDS(r == 0 || (r == -EINVAL && failure.text[0]));
	HOLDS(member.count <= POD_SLOTS_MAX && (r < 0 || member.pod));
	if (member.pod)
		HOLDS(is_name(member.pod) && strtoull(member.number, NULL, 10) >= 2 &&
		      strtoull(member.number, NULL, 10) <= UINT32_MAX);
	for (size_t i = 0; i < member.count; i++)
		HOLDS(is_name(member.slots[i].name) && member.slots[i].source[0] == '/');
	if (r == 0)
		write_again(&member, (const char *)data, size);
	free(text);
	return 0;
}
