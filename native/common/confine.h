/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of system calls beside those that the sandbox has already. See seccomp(2). */
#ifndef DKVM_CONFINE_H
#define DKVM_CONFINE_H

/*
 * From here on this process and all that it starts make no socket of AF_NETLINK, have no signal sent by way of a file (F_SETOWN), and
 * change no limits but their own. 0 or -errno.
 */
int confine_all(void);

/* On top of that they send no signal to others, touch no other's memory and change no other's schedule. 0 or -errno. */
int confine_to_itself(void);

/* Only what a server does with sockets that listen or are accepted, and with unix sockets that it connects; no file is opened. 0 or -errno. */
int confine_to_sockets(void);

/* Only what relays between sockets that it has open, or accepts: it makes and connects none, and opens no file. 0 or -errno. */
int confine_to_open_sockets(void);

#endif
