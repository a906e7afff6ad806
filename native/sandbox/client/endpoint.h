/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's stdin, stdout and stderr, read and written without ever blocking and without changing them for
 * others.
 */
#ifndef DKVM_ENDPOINT_H
#define DKVM_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum endpoint_kind {
	ENDPOINT_PLAIN,       /* files, and what could not be opened anew: poll(2) first, then small pieces */
	ENDPOINT_NONBLOCKING, /* O_NONBLOCK is set */
	ENDPOINT_SOCKET,
};

struct endpoint {
	int fd;       /* what to poll, read and write */
	int original; /* the caller's */
	enum endpoint_kind kind;
	size_t most; /* bytes in one write */
	bool dead;   /* nobody reads any more: what is written is thrown away */
};

/* Open /dev/null in the place of each of fds 0, 1 and 2 that is closed: nothing else may get their numbers. */
int endpoint_fill_holes(void);

/* True when fd is /dev/null: `docker run` without -i. */
bool endpoint_is_null(int fd);

/* Make an endpoint of fd; direction is O_RDONLY or O_WRONLY. */
void endpoint_open(struct endpoint *endpoint, int fd, int direction);

/* Read up to size bytes. Returns their count, 0 at the end of file (errors that last included), -EAGAIN. */
ssize_t endpoint_read(struct endpoint *endpoint, void *bytes, size_t size);

/*
 * Write up to size bytes; poll(2) must have said that there is room. Returns how many were taken, all of
 * them when the endpoint is dead or dies of this, 0 when it takes none now.
 */
size_t endpoint_write(struct endpoint *endpoint, const void *bytes, size_t size);

/* Close it, the caller's descriptor too, so that the other side sees the end. */
void endpoint_close(struct endpoint *endpoint);

#endif
