/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of files that others make on the host: the guest's kernel says which of the share's files and directories are watched, and
 * dkvm-events, which watches them outside, what happens to them. docs/adr/0031-changes-from-outside-are-heard.md.
 */
#ifndef DKVM_FILE_EVENTS_H
#define DKVM_FILE_EVENTS_H

#include "common/frame.h"

/* From here on; nothing where the kernel is not DKVM's own. */
void file_events_open(void);

/* Take a frame of dkvm-events. Returns 0 or -EPROTO. */
int file_events_frame(const struct frame *frame);

/* The channel takes data again. */
void file_events_room(void);

/* Say nothing more. */
void file_events_end(void);

#endif
