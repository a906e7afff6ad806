/* SPDX-License-Identifier: Apache-2.0 */
/* The connections of browsers: each asks for one page, or becomes a way to the screen. Nothing is allocated, and nobody is waited for. */
#ifndef DKVM_WEB_CONNECTION_H
#define DKVM_WEB_CONNECTION_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONNECTIONS_MOST = 64, /* in all: for a further one the oldest that is no screen is dropped */
	SCREENS_MOST = 16,     /* … of them: for a further one the oldest that has not logged in */
	CONNECTION_POLLS = 2 * CONNECTIONS_MOST,
};

/* Where QEMU listens for websockets: a path, which is kept. */
void connections_open(const char *screen);

/* Take a connection, which does not block. */
void connections_add(int client, int64_t now);

/* What is waited for. Each connection has two places, of which one or both may be -1. */
void connections_polls(struct pollfd polls[static CONNECTION_POLLS]);

/* Do what can be done, and drop those whose time is over. */
void connections_ready(const struct pollfd polls[static CONNECTION_POLLS], int64_t now);

/* The milliseconds until the next time is over; -1: none runs. */
int connections_patience(int64_t now);

#endif
