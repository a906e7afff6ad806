/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor sends a client: bounds, order and credit are checked, the monitor relays a hostile guest. */
#ifndef DKVM_CLIENT_FRAMES_H
#define DKVM_CLIENT_FRAMES_H

#include "sandbox/client/client.h"

/*
 * Take every whole frame out of client->receive. Returns how the session ended with one of them, CLIENT_RUNNING
 * if it did not.
 */
enum client_end client_take_frames(struct client *client);

#endif
