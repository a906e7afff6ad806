/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/locks/holder.h"

#include "common/loop.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { NONE = -1, BUCKETS = 4096 };

static struct holder all[HOLDERS_MAX];
static int buckets[BUCKETS], free_ones = NONE;
static int fresh, limit; /* places from fresh on have never been taken */

void holders_open(uint32_t most)
{
	for (int i = 0; i < BUCKETS; i++)
		buckets[i] = NONE;
	free_ones = NONE;
	fresh = 0;
	limit = (int)(most < HOLDERS_MAX ? most : HOLDERS_MAX);
}

static int *bucket_of(uint64_t owner, uint64_t inode)
{
	/* the golden ratio's digits spread neighbours */
	uint64_t mixed = (owner ^ inode * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0x9E3779B97F4A7C15);

	return &buckets[mixed >> 52];
}

struct holder *holder_find(enum lock_kind kind, uint64_t owner, uint32_t device, uint64_t inode)
{
	for (int i = *bucket_of(owner, inode); i != NONE; i = all[i].next)
		if (all[i].kind == kind && all[i].owner == owner && all[i].device == device && all[i].inode == inode)
			return &all[i];
	return NULL;
}

struct holder *holder_add(enum lock_kind kind, uint64_t owner, uint32_t device, uint64_t inode, const char *slot)
{
	int i = free_ones, *bucket = bucket_of(owner, inode);

	if (i != NONE)
		free_ones = all[i].next;
	else if (fresh < limit)
		i = fresh++;
	else
		return NULL;
	all[i] = (struct holder){
		.fd = -1, .kind = kind, .owner = owner, .device = device, .inode = inode, .next = *bucket};
	memcpy(all[i].slot, slot, strlen(slot) + 1);
	*bucket = i;
	return &all[i];
}

void holder_remove(struct holder *holder)
{
	int i = (int)(holder - all), *link = bucket_of(holder->owner, holder->inode);

	while (*link != i)
		link = &all[*link].next;
	*link = holder->next;
}

void holder_free(struct holder *holder)
{
	holder->fd = -1;
	holder->next = free_ones;
	free_ones = (int)(holder - all);
}

static bool begin_close(struct work *work)
{
	(void)work;
	return true;
}

static void run_close(struct work *work)
{
	close(container_of(work, struct holder, closing)->fd);
}

static void closed(struct work *work)
{
	holder_free(container_of(work, struct holder, closing));
}

void holder_settle(struct holder *holder)
{
	if (holder->held || holder->waiting > 0)
		return;
	holder_remove(holder);
	if (holder->fd < 0) {
		holder_free(holder);
		return;
	}
	holder->closing = (struct work){.file = holder->inode, .begin = begin_close, .run = run_close, .done = closed};
	memcpy(holder->closing.slot, holder->slot, sizeof holder->slot);
	/* who waits for the file finds it without what was given back */
	lanes_add_first(&holder->closing);
}
