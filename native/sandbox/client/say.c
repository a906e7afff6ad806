/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum {
	MESSAGE_SIZE = 1024, /* bytes */
	PIECE = 4096,        /* bytes: a pipe that polls writable takes as much without blocking */
	PATIENCE = 5000,     /* ms */
};

void say_bytes(const char *bytes, size_t length)
{
	while (length > 0) {
		struct pollfd error_output = {.fd = STDERR_FILENO, .events = POLLOUT};

		if (poll(&error_output, 1, PATIENCE) <= 0)
			return;
		ssize_t n = write(STDERR_FILENO, bytes, length < PIECE ? length : PIECE);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
}

static size_t append(char *message, size_t used, const char *text)
{
	size_t length = strlen(text);
	size_t room = MESSAGE_SIZE - 1 - used; /* the newline's byte stays free */

	if (length > room)
		length = room;
	memcpy(message + used, text, length);
	return used + length;
}

void say(const char *first, ...)
{
	char message[MESSAGE_SIZE];
	size_t used = append(message, 0, "dkvm: ");
	va_list texts;

	va_start(texts, first);
	for (const char *text = first; text; text = va_arg(texts, const char *))
		used = append(message, used, text);
	va_end(texts);
	message[used++] = '\n';
	say_bytes(message, used);
}

const char *decimal(char buffer[DECIMAL_SIZE], long number)
{
	char digits[DECIMAL_SIZE];
	size_t count = 0;
	char *p = buffer;
	unsigned long rest = number < 0 ? 0UL - (unsigned long)number : (unsigned long)number;

	do
		digits[count++] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (number < 0)
		*p++ = '-';
	while (count > 0)
		*p++ = digits[--count];
	*p = '\0';
	return buffer;
}

const char *reason(int error)
{
	const char *text = strerrordesc_np(error < 0 ? -error : error);

	return text ? text : "unknown error";
}
