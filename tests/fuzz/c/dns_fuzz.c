/* SPDX-License-Identifier: Apache-2.0 */
/* DNS over TCP, cut into messages, and the name servers of a resolv.conf. */
#include "fuzz.h"

#include "guest/network/dnsmessage.h"

static void messages(const uint8_t *bytes, size_t size)
{
	struct span message;
	size_t at = 0;
	long n;

	while ((n = dns_tcp_take(bytes + at, size - at, &message)) > 0) {
		HOLDS((size_t)n <= size - at && (size_t)n == 2 + message.size);
		HOLDS(message.data == bytes + at + 2 && message.size >= DNS_MIN && message.size <= DNS_MAX);
		at += (size_t)n;
	}
	HOLDS(n < 0 || size - at < DNS_TCP_MAX);
}

static void servers(const char *text)
{
	const char *rest = text;
	size_t all = strlen(text), found = 0;
	struct span server;

	while (resolv_next(&rest, &server)) {
		HOLDS(server.size > 0 && lies_within(server.data, server.size, text, all));
		HOLDS(strcspn((const char *)server.data, " \t\r\n") == server.size);
		HOLDS(++found <= all / strlen("nameserver x"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};

	messages(data, size);
	char *text = take_text(&in);

	servers(text);
	free(text);
	return 0;
}
