/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that belong to somebody else: no terminating NUL. */
#ifndef DKVM_SPAN_H
#define DKVM_SPAN_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *data;
	size_t size;
};

/* Copy into a buffer of size bytes and terminate. Returns 0, -ENAMETOOLONG. */
static inline int span_copy(struct span from, char *to, size_t size)
{
	if (from.size >= size)
		return -ENAMETOOLONG;
	if (from.size > 0)
		memcpy(to, from.data, from.size);
	to[from.size] = '\0';
	return 0;
}

static inline int span_is(struct span a, const char *text)
{
	return a.size == strlen(text) && (a.size == 0 || memcmp(a.data, text, a.size) == 0);
}

#endif
