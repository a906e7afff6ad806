/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/records/values.h"

#include <errno.h>
#include <limits.h>

static bool has_nul(struct span text)
{
	return text.size > 0 && memchr(text.data, '\0', text.size);
}

int text_value(const struct record *record, size_t max, struct span *text)
{
	*text = (struct span){record->value, record->length};
	return text->size == 0 || text->size > max || has_nul(*text) ? -EPROTO : 0;
}

/* Take a length and its bytes from the front of rest. */
int take_string(struct span *rest, struct span *text)
{
	if (rest->size < 4)
		return -EPROTO;
	uint32_t length = get_u32(rest->data);
	if (length > rest->size - 4 || length >= PATH_MAX)
		return -EPROTO;
	*text = (struct span){rest->data + 4, length};
	*rest = (struct span){rest->data + 4 + length, rest->size - 4 - length};
	return has_nul(*text) ? -EPROTO : 0;
}

int byte_value(const struct record *record, uint8_t max)
{
	return record->length == 1 && record->value[0] <= max ? record->value[0] : -EPROTO;
}

int u64_value(const struct record *record, uint64_t *value)
{
	if (record->length != 8)
		return -EPROTO;
	*value = get_u64(record->value);
	return 0;
}

int u32_value(const struct record *record, uint32_t *value)
{
	if (record->length != 4)
		return -EPROTO;
	*value = get_u32(record->value);
	return 0;
}

bool records_next(struct span records, uint16_t tag, size_t *at, struct record *record)
{
	long n;

	while ((n = record_parse(records.data + *at, records.size - *at, record)) > 0) {
		*at += (size_t)n;
		if (record->tag == tag)
			return true;
	}
	return false;
}
