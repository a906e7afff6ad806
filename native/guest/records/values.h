/* SPDX-License-Identifier: Apache-2.0 */
/* Values of records, checked. Each returns 0 or -EPROTO. */
#ifndef DKVM_VALUES_H
#define DKVM_VALUES_H

#include "common/frame.h"
#include "common/span.h"

/* Text of 1 to max bytes without a NUL. */
int text_value(const struct record *record, size_t max, struct span *text);

/* A byte up to max, which is returned. */
int byte_value(const struct record *record, uint8_t max);

int u32_value(const struct record *record, uint32_t *value);
int u64_value(const struct record *record, uint64_t *value);

/* Take a length and its bytes from the front of rest: less than PATH_MAX of them, and no NUL. */
int take_string(struct span *rest, struct span *text);

/* Find the next record of a tag from *at (0 first) on; false when there is none. Only in records that were all read before. */
bool records_next(struct span records, uint16_t tag, size_t *at, struct record *record);

#endif
