/* SPDX-License-Identifier: Apache-2.0 */
/* The one epoll loop. */
#ifndef DKVM_LOOP_H
#define DKVM_LOOP_H

#include <stdint.h>

/* A descriptor and who is told when it is ready. Lives in the struct that owns it, and does not move. */
struct source {
	int fd;
	uint32_t events; /* what the loop waits for now */
	void (*ready)(struct source *source, uint32_t events);
};

#define container_of(pointer, type, member) ((type *)(void *)(((char *)(pointer)) - offsetof(type, member)))

int loop_open(void);
int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(struct source *, uint32_t));

/* Change what is waited for; no call to the kernel when nothing changes. */
void loop_set(struct source *source, uint32_t events);

/* Forget the source and close its descriptor; nothing where it has none. */
void loop_close(struct source *source);

/* Wait at most timeout milliseconds (-1: for ever) and tell those that are ready. */
int loop_wait(int timeout);

#endif
