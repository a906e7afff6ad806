/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of browsers: what is read of a whole one does not change with what follows, and no part of one is taken for a whole. */
#include "fuzz.h"

#include "sandbox/web/http_request.h"

static void check_upgrade(const struct http_request *request)
{
	HOLDS(!request->head && strlen(request->key) == HTTP_KEY);
	HOLDS(strspn(request->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == HTTP_KEY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request whole, part;
	struct bytes in = {data, size};
	uint32_t cut = take_u16(&in);
	size_t given;
	char *bytes = (char *)take_copy(&in, in.left, &given);
	enum http_status status = http_request_read(&whole, bytes, given);

	HOLDS(status == HTTP_INCOMPLETE || status >= HTTP_OK);
	if (status == HTTP_OK) {
		HOLDS(whole.size >= 4 && whole.size <= given && memcmp(bytes + whole.size - 4, "\r\n\r\n", 4) == 0);
		HOLDS(whole.path[0] == '/' && strlen(whole.path) <= HTTP_PATH_MOST && !strpbrk(whole.path, "? \r\n"));
		if (whole.upgrade)
			check_upgrade(&whole);
		HOLDS(http_request_read(&part, bytes, whole.size) == HTTP_OK &&
		      memcmp(&part, &whole, sizeof part) == 0);
		HOLDS(http_request_read(&part, bytes, cut % whole.size) == HTTP_INCOMPLETE);
	}
	free(bytes);
	return 0;
}
