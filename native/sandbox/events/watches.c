/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/events/watches.h"

enum { BUCKETS = 4096 };

/* A list of the numbers in each bucket, which descriptors share. */
static struct {
	int descriptor;      /* 0: the number is free; the kernel's begin with 1 */
	uint32_t next, prev; /* 0: none */
} watches[WATCHES_MAX + 1];
static uint32_t first[BUCKETS];

static uint32_t *bucket(int descriptor)
{
	return &first[(uint32_t)descriptor % BUCKETS];
}

bool watches_has(uint32_t number)
{
	return number >= 1 && number <= WATCHES_MAX && watches[number].descriptor > 0;
}

void watches_add(uint32_t number, int descriptor)
{
	uint32_t *head = bucket(descriptor);

	watches[number].descriptor = descriptor;
	watches[number].prev = 0;
	watches[number].next = *head;
	if (*head)
		watches[*head].prev = number;
	*head = number;
}

int watches_remove(uint32_t number)
{
	if (!watches_has(number))
		return -1;
	int descriptor = watches[number].descriptor;
	uint32_t next = watches[number].next, prev = watches[number].prev;

	if (next)
		watches[next].prev = prev;
	if (prev)
		watches[prev].next = next;
	else
		*bucket(descriptor) = next;
	watches[number].descriptor = 0;
	return watches_next(descriptor, 0) ? -1 : descriptor;
}

void watches_gone(int descriptor)
{
	uint32_t number;

	while ((number = watches_next(descriptor, 0)))
		watches_remove(number);
}

uint32_t watches_next(int descriptor, uint32_t number)
{
	uint32_t at = number ? watches[number].next : *bucket(descriptor);

	while (at && watches[at].descriptor != descriptor)
		at = watches[at].next;
	return at;
}
