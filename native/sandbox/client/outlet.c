/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/outlet.h"

#include <string.h>

bool outlet_put(struct outlet *outlet, const uint8_t *bytes, size_t length)
{
	size_t tail = outlet->head + outlet->used;

	if (length > outlet->size - outlet->used)
		return false;
	if (tail >= outlet->size)
		tail -= outlet->size;
	size_t first = outlet->size - tail < length ? outlet->size - tail : length;

	memcpy(outlet->bytes + tail, bytes, first);
	memcpy(outlet->bytes, bytes + first, length - first);
	outlet->used += length;
	return true;
}

size_t outlet_flush(struct outlet *outlet)
{
	size_t contiguous = outlet->size - outlet->head;
	size_t gone = 0;

	if (outlet->endpoint->dead)
		gone = outlet->used;
	else if (outlet->used > 0)
		gone = endpoint_write(outlet->endpoint, outlet->bytes + outlet->head,
				      outlet->used < contiguous ? outlet->used : contiguous);
	outlet->used -= gone;
	outlet->head = outlet->used == 0 ? 0 : (outlet->head + gone) % outlet->size;
	return gone;
}
