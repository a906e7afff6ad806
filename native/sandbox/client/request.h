/* SPDX-License-Identifier: Apache-2.0 */
/* The process that dkvm-exec asks for, as records, made piece by piece: its arguments may be megabytes. */
#ifndef DKVM_REQUEST_H
#define DKVM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/frame.h"

enum {
	REQUEST_MAX = 4 << 20,   /* bytes of records */
	REQUEST_OPTIONS = 16384, /* bytes of them that are neither arguments nor environment */
};

struct request {
	/* Set by the caller, the rest zero. */
	char **arguments;   /* ends with NULL; one at least */
	char **environment; /* ends with NULL; entries without '=' are left out */
	bool set_home;      /* leave HOME out */

	uint8_t options[REQUEST_OPTIONS]; /* records */
	size_t options_length;

	/* What request_read() gives next. */
	bool begun;
	char **string;
	uint16_t tag;
	const char *text; /* whose header is being read */
	uint8_t header[RECORD_HEADER];
	const uint8_t *segment;
	size_t left; /* bytes of segment */
	bool done;
};

/* Add a record to the options. Returns 0, -E2BIG when they are full. */
int request_add(struct request *request, uint16_t tag, const void *value, size_t length);

/* All the records' length in bytes. */
uint64_t request_length(const struct request *request);

/* The next bytes, at most size; fewer only at the end. */
size_t request_read(struct request *request, uint8_t *bytes, size_t size);

/* True when all has been read. */
bool request_done(const struct request *request);

#endif
