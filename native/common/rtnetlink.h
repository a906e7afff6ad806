/* SPDX-License-Identifier: Apache-2.0 */
/* What every user of rtnetlink(7) needs: a socket, and attributes found. */
#ifndef DKVM_RTNETLINK_H
#define DKVM_RTNETLINK_H

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

/* Open a socket that hears these groups (RTMGRP_*). Returns it, or -errno. */
int rtnetlink_open(int flags, uint32_t groups);

/* The attribute of that type among size bytes of them; NULL: there is none, or one before it is cut short. */
const struct rtattr *rtnetlink_attribute(const uint8_t *at, size_t size, unsigned short type);

#endif
