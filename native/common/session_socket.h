/* SPDX-License-Identifier: Apache-2.0 */
/* The unix stream sockets of the monitor: that on which it takes sessions, and others to connect to. */
#ifndef DKVM_SESSION_SOCKET_H
#define DKVM_SESSION_SOCKET_H

/*
 * Make the socket's directory and the listening socket, mode 0600, in the place of a socket that is left there. Returns it, or -errno: -EEXIST where
 * something else is, a link as well.
 */
int session_socket_listen(const char *path);

/*
 * Connect to one, waiting up to patience milliseconds while it is not there or takes no one. Returns the
 * non-blocking socket, or -errno.
 */
int session_socket_connect(const char *path, int patience);

#endif
