/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser asks for: the head of a request of HTTP/1.x. Anybody who reaches the port may send it. See RFC 9112, RFC 6455. */
#ifndef DKVM_HTTP_REQUEST_H
#define DKVM_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HTTP_PATH_MOST = 127, /* letters, without the query */
	HTTP_FIELDS_MOST = 64,
	HTTP_KEY = 24, /* letters of a websocket's key */
};

/* The statuses that are answered. */
enum http_status {
	HTTP_INCOMPLETE = 0, /* none yet: more is to come */
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_FORBIDDEN = 403,
	HTTP_NOT_FOUND = 404,
	HTTP_METHOD_NOT_ALLOWED = 405,
	HTTP_URI_TOO_LONG = 414,
	HTTP_UPGRADE_REQUIRED = 426,
	HTTP_FIELDS_TOO_LARGE = 431,
	HTTP_UNAVAILABLE = 503,
	HTTP_VERSION_NOT_SUPPORTED = 505,
};

struct http_request {
	bool head;    /* HEAD, not GET */
	bool upgrade; /* to a websocket: asked for as RFC 6455 says, and by a page of ours or by no page */
	bool binary;  /* the subprotocol "binary" is offered */
	char path[HTTP_PATH_MOST + 1]; /* as it was sent, up to a question mark */
	char key[HTTP_KEY + 1];
	size_t size; /* of the head, with the empty line; what follows belongs to the websocket */
};

/*
 * Read what has come of a request. HTTP_OK: it is whole, and may be answered by its path; HTTP_INCOMPLETE; else what is wrong with it.
 * A websocket that the page of another place asks for is HTTP_FORBIDDEN.
 */
enum http_status http_request_read(struct http_request *request, const char *bytes, size_t size);

#endif
