/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsmessage.h"

#include <string.h>

long dns_tcp_take(const uint8_t *bytes, size_t size, struct span *message)
{
	if (size < 2)
		return 0;
	size_t length = (size_t)bytes[0] << 8 | bytes[1];
	if (length < DNS_MIN)
		return -EPROTO;
	if (size < 2 + length)
		return 0;
	*message = (struct span){bytes + 2, length};
	return (long)(2 + length);
}

bool resolv_names(const char *text, const char *server)
{
	static const char keyword[] = "nameserver";
	size_t size = strlen(server);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n \t\r");
		if (strncmp(line, keyword, sizeof keyword - 1) != 0)
			continue;
		const char *value = line + sizeof keyword - 1;
		size_t blank = strspn(value, " \t");
		if (blank > 0 && strncmp(value + blank, server, size) == 0 && strcspn(value + blank, " \t\r\n") == size)
			return true;
	}
	return false;
}
