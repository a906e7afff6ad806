/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a browser's request, and what is refused. */
#include "sandbox/web/http_request.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#define FIRST "GET /websockify HTTP/1.1\r\n"
#define HOST "Host: 127.0.0.1:6080\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
#define END "\r\n"

static struct http_request request;

/* In memory of just that size, so that the sanitizer sees a read beyond it. */
static enum http_status status_of_bytes(const char *bytes, size_t size)
{
	char *copy = malloc(size ? size : 1);

	memcpy(copy, bytes, size);
	enum http_status status = http_request_read(&request, copy, size);
	free(copy);
	return status;
}

static enum http_status status_of(const char *text)
{
	return status_of_bytes(text, strlen(text));
}

static enum http_status status_with(const char *field)
{
	char text[1024];

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n" HOST END, field);
	return status_of(text);
}

static void a_page_is_asked_for(void)
{
	CHECK(status_of("GET /app/ui.js?v=1 HTTP/1.1\r\n" HOST "Accept: */*\r\n" END) == HTTP_OK);
	CHECK(!request.head && !request.upgrade && strcmp(request.path, "/app/ui.js") == 0);
	CHECK(status_of("HEAD / HTTP/1.0\r\nhost:x\r\n" END "more") == HTTP_OK);
	CHECK(request.head && strcmp(request.path, "/") == 0 &&
	      request.size == strlen("HEAD / HTTP/1.0\r\nhost:x\r\n\r\n"));
	CHECK(status_with("Content-Length: 0") == HTTP_OK);
}

static void every_part_of_a_request_waits_for_the_rest(void)
{
	static const char whole[] = FIRST HOST UPGRADE VERSION KEY END;

	for (size_t size = 0; size + 1 < sizeof whole; size++)
		if (status_of_bytes(whole, size) != HTTP_INCOMPLETE)
			CHECK(size == sizeof whole);
	CHECK(status_of(whole) == HTTP_OK && request.upgrade);
}

static void a_websocket_is_for_our_own_page(void)
{
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin: http://127.0.0.1:6080\r\n" END) == HTTP_OK);
	CHECK(request.upgrade && !request.binary && strcmp(request.key, "MDEyMzQ1Njc4OTAxMjM0NQ==") == 0);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin: HTTPS://127.0.0.1:6080\r\n" END) == HTTP_OK);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol: base64, binary\r\n" END) == HTTP_OK);
	CHECK(request.binary);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin: http://127.0.0.1\r\n" END) == HTTP_FORBIDDEN);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin: http://127.0.0.1:6080.evil\r\n" END) == HTTP_FORBIDDEN);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin: http://evil\r\n" END) == HTTP_FORBIDDEN);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin: null\r\n" END) == HTTP_FORBIDDEN);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY "Origin:\r\n" END) == HTTP_FORBIDDEN);
}

static void a_websocket_is_asked_for_as_it_has_to_be(void)
{
	CHECK(status_of(FIRST HOST UPGRADE KEY END) == HTTP_UPGRADE_REQUIRED);
	CHECK(status_of(FIRST HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n" END) == HTTP_UPGRADE_REQUIRED);
	CHECK(status_of(FIRST HOST UPGRADE VERSION END) == HTTP_BAD_REQUEST);
	CHECK(status_of(FIRST HOST UPGRADE VERSION "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0N===\r\n" END) ==
	      HTTP_BAD_REQUEST);
	CHECK(status_of(FIRST HOST UPGRADE VERSION "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ=\r\n" END) ==
	      HTTP_BAD_REQUEST);
	CHECK(status_of(FIRST HOST UPGRADE VERSION KEY KEY END) == HTTP_BAD_REQUEST);
	CHECK(status_of(FIRST HOST "Upgrade: websocket\r\n" VERSION KEY END) == HTTP_BAD_REQUEST);
	CHECK(status_of(FIRST HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY END) == HTTP_OK);
	CHECK(!request.upgrade);
	CHECK(status_of("HEAD /websockify HTTP/1.1\r\n" HOST UPGRADE VERSION KEY END) == HTTP_BAD_REQUEST);
}

static void what_two_could_read_in_two_ways_is_refused(void)
{
	CHECK(status_with("Content-Length: 5") == HTTP_BAD_REQUEST);
	CHECK(status_with("Transfer-Encoding: chunked") == HTTP_BAD_REQUEST);
	CHECK(status_with("Host: other") == HTTP_BAD_REQUEST);
	CHECK(status_with("X : y") == HTTP_BAD_REQUEST);
	CHECK(status_with("X: y\r\n folded") == HTTP_BAD_REQUEST);
	CHECK(status_with("no colon") == HTTP_BAD_REQUEST);
	CHECK(status_with("word") == HTTP_BAD_REQUEST);
	CHECK(status_with(": y") == HTTP_BAD_REQUEST);
	CHECK(status_with("X: a\nY: b") == HTTP_BAD_REQUEST);
	CHECK(status_with("X: a\rb") == HTTP_BAD_REQUEST);
	CHECK(status_with("X: \x01") == HTTP_BAD_REQUEST);
	CHECK(status_of_bytes("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30) == HTTP_BAD_REQUEST);
	CHECK(status_of("GET / HTTP/1.1\r\n" END) == HTTP_BAD_REQUEST);
	CHECK(status_of("\r\n\r\n") == HTTP_BAD_REQUEST);
}

static void a_bad_first_line_is_refused(void)
{
	CHECK(status_of("POST / HTTP/1.1\r\n" HOST END) == HTTP_METHOD_NOT_ALLOWED);
	CHECK(status_of("get / HTTP/1.1\r\n" HOST END) == HTTP_METHOD_NOT_ALLOWED);
	CHECK(status_of("GET / HTTP/2.0\r\n" HOST END) == HTTP_VERSION_NOT_SUPPORTED);
	CHECK(status_of("GET http://x/ HTTP/1.1\r\n" HOST END) == HTTP_BAD_REQUEST);
	CHECK(status_of("GET /\r\n" HOST END) == HTTP_BAD_REQUEST);
	CHECK(status_of("GET  / HTTP/1.1\r\n" HOST END) == HTTP_BAD_REQUEST);
	CHECK(status_of("GET / HTTP/1.1 \r\n" HOST END) == HTTP_BAD_REQUEST);
	CHECK(status_of("GET / x HTTP/1.1\r\n" HOST END) == HTTP_BAD_REQUEST);
}

static void what_is_too_much_is_refused(void)
{
	char text[4096] = "GET /";

	memset(text + strlen(text), 'a', HTTP_PATH_MOST);
	strcat(text, " HTTP/1.1\r\n" HOST END);
	CHECK(status_of(text) == HTTP_URI_TOO_LONG);
	strcpy(text, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < HTTP_FIELDS_MOST; i++)
		strcat(text, "X: y\r\n");
	strcat(text, END);
	CHECK(status_of(text) == HTTP_FIELDS_TOO_LARGE);
}

int main(void)
{
	test("a page is asked for by its path", a_page_is_asked_for);
	test("every part of a request waits for the rest", every_part_of_a_request_waits_for_the_rest);
	test("a websocket is for our own page, or for no page", a_websocket_is_for_our_own_page);
	test("a websocket is asked for as it has to be", a_websocket_is_asked_for_as_it_has_to_be);
	test("what two could read in two ways is refused", what_two_could_read_in_two_ways_is_refused);
	test("a bad first line is refused", a_bad_first_line_is_refused);
	test("what is too much is refused", what_is_too_much_is_refused);
	return tests_end();
}
