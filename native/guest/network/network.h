/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's interfaces, addresses and routes, by rtnetlink(7). */
#ifndef DKVM_NETWORK_H
#define DKVM_NETWORK_H

#include "common/failure.h"
#include "guest/records/machine.h"

/* Find each NIC by its MAC and give it its name. */
int network_name_links(const struct machine *machine, struct failure *error);

/* Links up, addresses, routes. */
int network_configure(const struct machine *machine, struct failure *error);

#endif
