/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of system calls beside those that the sandbox has already. See seccomp(2). */
#ifndef DKVM_CONFINE_H
#define DKVM_CONFINE_H

/* No socket of AF_NETLINK can be made from here on, by this process and all that it starts. 0 or -errno. */
int confine_without_netlink(void);

/* This process and what it starts can send no signal to others and touch no other's memory. 0 or -errno. */
int confine_to_itself(void);

#endif
