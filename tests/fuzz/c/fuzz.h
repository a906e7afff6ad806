/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share. A target takes any bytes, and aborts where something does not hold of what is made of them. */
#ifndef DKVM_FUZZ_H
#define DKVM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                 \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* An input, read piece by piece; after its end come zeros and empty pieces. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t take_u8(struct bytes *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint32_t take_u16(struct bytes *in)
{
	uint32_t low = take_u8(in);

	return low | (uint32_t)take_u8(in) << 8;
}

/* So many bytes, or as many as there are, in memory of just that size: the sanitizer sees who reads beyond. */
static inline uint8_t *take_copy(struct bytes *in, size_t most, size_t *size)
{
	*size = most < in->left ? most : in->left;
	uint8_t *copy = malloc(*size ? *size : 1);

	HOLDS(copy);
	if (*size > 0)
		memcpy(copy, in->at, *size);
	in->at += *size;
	in->left -= *size;
	return copy;
}

/* Likewise as a text: up to the next NUL, and with one behind. */
static inline char *take_text(struct bytes *in)
{
	size_t size = strnlen((const char *)in->at, in->left);
	char *text = malloc(size + 1);

	HOLDS(text);
	if (size > 0)
		memcpy(text, in->at, size);
	text[size] = '\0';
	size += size < in->left;
	in->at += size;
	in->left -= size;
	return text;
}

/* Whether size bytes at part lie within whole bytes at all. */
static inline int lies_within(const void *part, size_t size, const void *all, size_t whole)
{
	const uint8_t *p = part, *a = all;

	return size == 0 || (p >= a && size <= whole && (size_t)(p - a) <= whole - size);
}

#endif
