/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/request.h"

#include <errno.h>
#include <string.h>

int request_add(struct request *r, uint16_t tag, const void *value, size_t length)
{
	if (length > sizeof r->options - r->options_length ||
	    sizeof r->options - r->options_length - length < RECORD_HEADER)
		return -E2BIG;
	record_header(r->options + r->options_length, tag, (uint32_t)length);
	memcpy(r->options + r->options_length + RECORD_HEADER, value, length);
	r->options_length += RECORD_HEADER + length;
	return 0;
}

static bool environment_wanted(const struct request *r, const char *entry)
{
	if (r->set_home && strncmp(entry, "HOME=", 5) == 0)
		return false;
	return strchr(entry, '=') != NULL;
}

uint64_t request_length(const struct request *r)
{
	uint64_t length = r->options_length;

	for (char **p = r->environment; *p; p++)
		if (environment_wanted(r, *p))
			length += RECORD_HEADER + strlen(*p);
	for (char **p = r->arguments; *p; p++)
		length += RECORD_HEADER + strlen(*p);
	return length;
}

/*
 * Options, then the environment, then the arguments; of each string the header, then the text. False at the
 * end.
 */
static bool next_segment(struct request *r)
{
	if (!r->begun) {
		r->begun = true;
		r->string = r->environment;
		r->tag = RECORD_ENV;
		r->segment = r->options;
		r->left = r->options_length;
		return true;
	}
	if (r->text) {
		r->segment = (const uint8_t *)r->text;
		r->left = strlen(r->text);
		r->text = NULL;
		return true;
	}
	while (r->tag == RECORD_ENV && *r->string && !environment_wanted(r, *r->string))
		r->string++;
	if (r->tag == RECORD_ENV && !*r->string) {
		r->string = r->arguments;
		r->tag = RECORD_ARG;
	}
	if (!*r->string)
		return false;
	r->text = *r->string++;
	record_header(r->header, r->tag, (uint32_t)strlen(r->text));
	r->segment = r->header;
	r->left = RECORD_HEADER;
	return true;
}

size_t request_read(struct request *r, uint8_t *bytes, size_t size)
{
	size_t used = 0;

	while (!r->done) {
		while (r->left == 0 && !r->done)
			r->done = !next_segment(r);
		if (r->done || used == size)
			break;
		size_t n = r->left < size - used ? r->left : size - used;

		memcpy(bytes + used, r->segment, n);
		r->segment += n;
		r->left -= n;
		used += n;
	}
	return used;
}

bool request_done(const struct request *r)
{
	return r->done;
}
