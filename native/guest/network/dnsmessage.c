/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network/dnsmessage.h"

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

bool resolv_next(const char **rest, struct span *server)
{
	static const char keyword[] = "nameserver";

	while (*rest && **rest) {
		const char *line = *rest + strspn(*rest, "\n \t\r");
		const char *value = line + sizeof keyword - 1;
		*rest = strchr(line, '\n');
		if (strncmp(line, keyword, sizeof keyword - 1) != 0)
			continue;
		size_t blank = strspn(value, " \t");
		size_t size = strcspn(value + blank, " \t\r\n");
		if (blank == 0 || size == 0)
			continue;
		*server = (struct span){(const uint8_t *)value + blank, size};
		return true;
	}
	return false;
}
