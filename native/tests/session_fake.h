/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's end of one session, for fakes: it keeps to the protocol and insists that the client does. */
#ifndef DKVM_SESSION_FAKE_H
#define DKVM_SESSION_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/frame.h"

struct session {
	int fd;
	uint32_t granted;   /* bytes of stdin that the client may still send */
	uint32_t credit[3]; /* bytes of output that it takes */
	bool stdin_ended;
	size_t waiting; /* bytes of stdin in inbox */
	uint8_t inbox[FRAME_CREDIT];
	uint32_t last_signal; /* 0: none since it was looked at */
	uint16_t rows, columns;
	bool resized;
	bool network_wanted; /* session_take() returns NETWORK_CHANGED, too */
	unsigned network_changes;
	uint8_t attach[ATTACH_SIZE];
	uint8_t frame[FRAME_HEADER + FRAME_MAX_PAYLOAD];
	uint8_t *records;
	size_t records_length;
};

/* Say why on stderr and end the process with code 99: the client broke the protocol. */
void session_fault(const char *what) __attribute__((noreturn));

/* Accept on fd 0 and read ATTACH and, of an exec client, the whole OPEN. */
void session_accept(struct session *session);

/* Accept, and read ATTACH only. */
void session_attach(struct session *session);

/* Read one frame and account for it. Returns its type; 0 at the end of the connection. */
uint8_t session_take(struct session *session);

/* Bytes as they are, no frame. */
void session_send(struct session *session, const void *bytes, size_t length);

void session_put(struct session *session, uint8_t type, const void *payload, size_t length);

/* Send output, taking frames while credit lacks. */
void session_put_output(struct session *session, enum frame_channel channel, const void *bytes, size_t length);

/* Take n bytes out of the inbox and give the client that much credit. */
void session_consume(struct session *session, size_t n);

void session_opened(struct session *session);
void session_exit(struct session *session, uint8_t code);

/* The byte at an offset of the stream that tests send around. */
static inline uint8_t pattern(uint64_t offset)
{
	return (uint8_t)((offset * 2654435761u) >> 13);
}

#endif
