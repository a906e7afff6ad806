/* SPDX-License-Identifier: Apache-2.0 */
/* The agent channel: frames out through a bounded queue, frames in to whoever takes them. */
#ifndef DKVM_CHANNEL_H
#define DKVM_CHANNEL_H

#include "common/frame.h"

enum {
	CHANNEL_QUEUE = 768 * 1024,       /* bytes: the queue's size */
	CHANNEL_DATA_LIMIT = 256 * 1024,  /* bytes: no more data is taken from the workload beyond */
	CHANNEL_INPUT_LIMIT = 512 * 1024, /* bytes: no more frames are taken from the monitor beyond */
	/* bytes: with its header such a frame fills one buffer of the port */
	CHANNEL_DATA_FRAME = FRAME_DATA_PAYLOAD - FRAME_HEADER,
};

struct channel_events {
	void (*attached)(void);                  /* somebody is at the other end: what was written before is lost */
	int (*frame)(const struct frame *frame); /* a negative answer breaks the channel off */
	void (*room)(void);                      /* data may be queued again */
	void (*broken)(int error);
	void (*closed)(void); /* read(2) gave nothing, which of a socket is the end; NULL: it means nothing */
};

/* Take the port's descriptor into the loop. */
int channel_open(int port, const struct channel_events *events);

/* Queue a frame. Returns 0, -ENOBUFS, -ENOTCONN before channel_open. */
int channel_send(uint8_t type, uint32_t stream, const void *payload, uint32_t length);

/* Whether a data frame may be queued. */
bool channel_has_room(void);

/* Where the payload of the next frame is to be written: CHANNEL_DATA_FRAME bytes; only with room. */
uint8_t *channel_begin(void);

/* Queue the frame whose length bytes of payload were written there. */
void channel_commit(uint8_t type, uint32_t stream, uint32_t length);

/* Write what the port takes now. */
void channel_flush(void);

/* In a child: say nothing there, where it has a copy of what its parent has yet to send. */
void channel_disown(void);

/* Whether all that was queued has been written. */
bool channel_is_empty(void);

#endif
