/* SPDX-License-Identifier: Apache-2.0 */
/* One request to rtnetlink(7) at a time, put together and sent. */
#ifndef DKVM_RTMESSAGE_H
#define DKVM_RTMESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* Open the socket that requests go over; 0 or -errno. */
int rtmessage_open(void);

/* Start a request: its own header of size bytes follows, all zero; the caller fills it in. */
void *rtmessage_begin(uint16_t type, uint16_t flags, size_t size);

/* Add an attribute. */
void rtmessage_put(uint16_t type, const void *value, size_t size);
void rtmessage_put_u32(uint16_t type, uint32_t value);
void rtmessage_put_text(uint16_t type, const char *text);

/* Attributes from here to rtmessage_end() are inside this one. Returns what that takes. */
size_t rtmessage_nest(uint16_t type);
void rtmessage_end(size_t nest);

/* Send the request. 0, or -errno as the kernel answers. */
int rtmessage_send(void);

/* Send the request and read the one message that answers it, of at most size bytes. Its length, or -errno. */
int rtmessage_ask(void *answer, size_t size);

/*
 * Send the request and hear of all that there is: each is called with a message's own header and what follows it, of size bytes. Again
 * from the beginning, with a call of begin, when something changed meanwhile. 0 or -errno.
 */
struct rtmessage_listener {
	void (*begin)(void *argument);
	void (*each)(void *argument, const uint8_t *body, size_t size);
	void *argument;
};
int rtmessage_list(const struct rtmessage_listener *listener);

#endif
