/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of this namespace, by rtnetlink(7). All return 0 or -errno. */
#ifndef DKVM_LINK_H
#define DKVM_LINK_H

#include "sandbox/network/guard.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define LINK_ALIAS                                                                                                     \
	"dkvm:" /* before the device's name in the alias of its tap: a pod's namespace, and the taps in it, outlive a VM */

/* A device that sorts out what comes (macvlan) knows only the groups that this namespace is in, and the VM is in others. */
int link_hear_all_groups(uint32_t index);

/* Make a tap that stays until it is deleted, and that processes of this uid may open. -EBUSY where there is such a device. */
int link_make_tap(const char *name, uint32_t owner, uint32_t *index);

/* Give a tap its alias and its MTU, and no address, not even a link-local one; and switch it on. */
int link_start_tap(uint32_t index, const char *device, uint32_t mtu);

/* Find a tap of ours. -ENODEV: there is no device of that name; -EPERM: it is something else. */
int link_find_tap(const char *name, uint32_t *index);

int link_find(const char *name, uint32_t *index);

/* The name of the device that a tap of ours stands for. */
int link_find_behind(const char *tap, char device[static IFNAMSIZ]);

/* Who a device is: its MAC, and its addresses as far as there is room. */
int link_identify(const char *name, struct identity *identity);

int link_delete(uint32_t index);

#endif
