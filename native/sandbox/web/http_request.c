/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/web/http_request.h"

#include <string.h>
#include <strings.h>

/* A part of what was sent. */
struct text {
	const char *at;
	size_t size;
};

/* The fields that count; each may be there once. */
enum field { HOST, ORIGIN, UPGRADE, CONNECTION, KEY, VERSION, PROTOCOL, LENGTH, ENCODING, FIELDS };

static const char *const field_names[FIELDS] = {
	"host",
	"origin",
	"upgrade",
	"connection",
	"sec-websocket-key",
	"sec-websocket-version",
	"sec-websocket-protocol",
	"content-length",
	"transfer-encoding",
};

static bool is(struct text text, const char *word)
{
	return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.at[i] == '\0' || (!is_alphanumeric(text.at[i]) && !strchr("!#$%&'*+-.^_`|~", text.at[i])))
			return false;
	return text.size > 0;
}

/* The next line, without its end, from *at on; false: it is not whole, or no line. */
static bool take_line(struct text *line, const char **at, const char *end)
{
	const char *feed = memchr(*at, '\n', (size_t)(end - *at));

	if (!feed || feed == *at || feed[-1] != '\r')
		return false;
	*line = (struct text){*at, (size_t)(feed - 1 - *at)};
	*at = feed + 1;
	return true;
}

/* Up to the separator, which is dropped; all where there is none. */
static struct text take_until(struct text *rest, char separator)
{
	const char *found = memchr(rest->at, separator, rest->size);
	struct text part = {rest->at, found ? (size_t)(found - rest->at) : rest->size};
	size_t taken = part.size + (found ? 1 : 0);

	rest->at += taken;
	rest->size -= taken;
	return part;
}

static struct text trimmed(struct text text)
{
	while (text.size > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.size--;
	}
	while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
		text.size--;
	return text;
}

static bool has_word(struct text list, const char *word)
{
	while (list.size > 0)
		if (is(trimmed(take_until(&list, ',')), word))
			return true;
	return false;
}

static enum http_status read_request_line(struct http_request *request, struct text line)
{
	struct text method = take_until(&line, ' '), target = take_until(&line, ' ');

	if (!is_token(method) || target.size == 0 || target.at[0] != '/' || line.size != 8 ||
	    memcmp(line.at, "HTTP/", 5) != 0)
		return HTTP_BAD_REQUEST;
	if (memcmp(line.at + 5, "1.1", 3) != 0 && memcmp(line.at + 5, "1.0", 3) != 0)
		return HTTP_VERSION_NOT_SUPPORTED;
	request->head = method.size == 4 && memcmp(method.at, "HEAD", 4) == 0;
	if (!request->head && (method.size != 3 || memcmp(method.at, "GET", 3) != 0))
		return HTTP_METHOD_NOT_ALLOWED;
	struct text path = take_until(&target, '?');
	if (path.size > HTTP_PATH_MOST)
		return HTTP_URI_TOO_LONG;
	memcpy(request->path, path.at, path.size);
	request->path[path.size] = '\0';
	return HTTP_OK;
}

static enum http_status read_fields(struct text fields[static FIELDS], const char *at, const char *end)
{
	struct text line;

	for (int count = 0; take_line(&line, &at, end) && line.size > 0; count++) {
		if (count == HTTP_FIELDS_MOST)
			return HTTP_FIELDS_TOO_LARGE;
		/* a line without a colon has an empty value, and a fold no name */
		struct text name = take_until(&line, ':'), value = trimmed(line);

		if (!is_token(name) || name.at[name.size] != ':')
			return HTTP_BAD_REQUEST;
		for (int i = 0; i < FIELDS; i++) {
			if (!is(name, field_names[i]))
				continue;
			if (fields[i].at)
				return HTTP_BAD_REQUEST;
			fields[i] = value;
		}
	}
	return HTTP_OK;
}

/* A page's own place is what the browser has the page from, and what it asks. No browser leaves a page out. */
static bool is_from_here(struct text origin, struct text host)
{
	static const char *const schemes[] = {"http://", "https://"};

	if (!origin.at)
		return true;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t length = strlen(schemes[i]);

		if (origin.size == length + host.size && strncasecmp(origin.at, schemes[i], length) == 0 &&
		    strncasecmp(origin.at + length, host.at, host.size) == 0)
			return true;
	}
	return false;
}

/* Sixteen bytes in base64. */
static bool is_key(struct text key)
{
	if (key.size != HTTP_KEY || memcmp(key.at + HTTP_KEY - 2, "==", 2) != 0)
		return false;
	for (size_t i = 0; i < HTTP_KEY - 2; i++)
		if (!is_alphanumeric(key.at[i]) && key.at[i] != '+' && key.at[i] != '/')
			return false;
	return true;
}

static enum http_status read_upgrade(struct http_request *request, const struct text fields[static FIELDS])
{
	/* to another protocol is an offer, which need not be taken: RFC 9110, 7.8 */
	if (!has_word(fields[UPGRADE], "websocket"))
		return HTTP_OK;
	if (request->head || !has_word(fields[CONNECTION], "upgrade"))
		return HTTP_BAD_REQUEST;
	if (!is(fields[VERSION], "13"))
		return HTTP_UPGRADE_REQUIRED;
	if (!is_key(fields[KEY]))
		return HTTP_BAD_REQUEST;
	if (!is_from_here(fields[ORIGIN], fields[HOST]))
		return HTTP_FORBIDDEN;
	request->upgrade = true;
	request->binary = has_word(fields[PROTOCOL], "binary");
	memcpy(request->key, fields[KEY].at, HTTP_KEY);
	return HTTP_OK;
}

/* Text is what everybody reads alike: no end of a line but ours, and nothing that could be one. */
static bool is_text(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\r'   ? i + 1 < size && bytes[i + 1] != '\n'
		    : c == '\n' ? i == 0 || bytes[i - 1] != '\r'
				: (c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

enum http_status http_request_read(struct http_request *request, const char *bytes, size_t size)
{
	static const char end[] = "\r\n\r\n";
	const char *found = memmem(bytes, size, end, sizeof end - 1), *at = bytes;
	size_t head = found ? (size_t)(found - bytes) + sizeof end - 1 : size;
	struct text fields[FIELDS] = {{NULL, 0}}, line;

	memset(request, 0, sizeof *request);
	if (!is_text(bytes, head))
		return HTTP_BAD_REQUEST;
	if (!found)
		return HTTP_INCOMPLETE;
	request->size = head;
	if (!take_line(&line, &at, bytes + head))
		return HTTP_BAD_REQUEST;
	enum http_status status = read_request_line(request, line);
	if (status == HTTP_OK)
		status = read_fields(fields, at, bytes + head);
	if (status != HTTP_OK)
		return status;
	/* a body would be taken for what comes after the request */
	if (fields[HOST].size == 0 || fields[ENCODING].at || (fields[LENGTH].at && !is(fields[LENGTH], "0")))
		return HTTP_BAD_REQUEST;
	return read_upgrade(request, fields);
}
