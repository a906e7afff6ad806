/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends the monitor. */
#ifndef DKVM_CLIENT_SEND_H
#define DKVM_CLIENT_SEND_H

#include "sandbox/client/client.h"

enum { CLIENT_SEND_RESERVE = 256 }; /* bytes that data leaves free for control frames */

/* Put ATTACH in the send buffer, the first frame of all. */
void client_send_attach(struct client *client);

/* Put SIGNAL in it; client_send_room() must be CLIENT_SEND_RESERVE at least. */
void client_send_signal(struct client *client, uint32_t number);

/* Put UPDATE in it: memory in bytes, processors, processes. */
void client_send_update(struct client *client, uint64_t memory, uint32_t processors, uint64_t processes);

/* Read stdin, as far as credit goes, into it. */
void client_send_input(struct client *client);

/* True when stdin should be polled and client_send_input() called. */
bool client_input_wanted(const struct client *client);

/* Put in it what is due (the request, sizes, credit), and write to the socket what that takes. */
void client_send(struct client *client);

/* True when the socket has not taken all. */
bool client_send_waits(const struct client *client);

/* How many bytes more fit in. */
size_t client_send_room(const struct client *client);

#endif
