/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/web/web_answer.h"

#include <stdio.h>
#include <string.h>

/* Nothing is kept, taken for another type, shown inside another's page, or tells another place where it was. */
#define ALWAYS                                                                                                         \
	"Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n" \
	"Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n"

static const char *reason_of(enum http_status status)
{
	switch (status) {
	case HTTP_INCOMPLETE:
	case HTTP_OK:
		break;
	case HTTP_BAD_REQUEST:
		return "Bad Request";
	case HTTP_FORBIDDEN:
		return "Forbidden: a page of another place asks";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_METHOD_NOT_ALLOWED:
		return "Method Not Allowed";
	case HTTP_URI_TOO_LONG:
		return "URI Too Long";
	case HTTP_UPGRADE_REQUIRED:
		return "Upgrade Required";
	case HTTP_FIELDS_TOO_LARGE:
		return "Request Header Fields Too Large";
	case HTTP_UNAVAILABLE:
		return "Service Unavailable: the screen can not be reached now";
	case HTTP_VERSION_NOT_SUPPORTED:
		return "HTTP Version Not Supported";
	}
	return "OK";
}

static const char *more_of(enum http_status status)
{
	if (status == HTTP_METHOD_NOT_ALLOWED)
		return "Allow: GET, HEAD\r\n";
	return status == HTTP_UPGRADE_REQUIRED ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "";
}

static size_t written(int size)
{
	return size < 0 ? 0 : size < ANSWER_MOST ? (size_t)size : ANSWER_MOST - 1;
}

size_t answer_page(char to[static ANSWER_MOST], const struct page *page)
{
	const char *digest = pages_script();

	return written(snprintf(to, ANSWER_MOST,
				"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				"Content-Security-Policy: default-src 'self'; script-src 'self'%s%s%s; img-src 'self' "
				"data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "
				"'none'\r\n" ALWAYS "\r\n",
				page->type, page->size, digest[0] ? " 'sha256-" : "", digest, digest[0] ? "'" : ""));
}

size_t answer_refusal(char to[static ANSWER_MOST], enum http_status status, bool head)
{
	const char *reason = reason_of(status);

	return written(snprintf(
		to, ANSWER_MOST,
		"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
		"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n%s" ALWAYS "\r\n%s%s",
		(int)status, reason, strlen(reason) + 1, more_of(status), head ? "" : reason, head ? "" : "\n"));
}

size_t answer_upgrade(char to[static ANSWER_MOST], const struct http_request *request)
{
	return written(snprintf(to, ANSWER_MOST,
				"GET / HTTP/1.1\r\nHost: screen\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n",
				request->key, request->binary ? "Sec-WebSocket-Protocol: binary\r\n" : ""));
}
