/* SPDX-License-Identifier: Apache-2.0 */
/* Who a process runs as. */
#ifndef DKVM_CREDENTIALS_H
#define DKVM_CREDENTIALS_H

#include "guest/records/process.h"

/* Drop the bounding set, take groups, gid and uid, keeping capabilities until credentials_finish. */
int credentials_take_user(const struct process *process);

/* Set the capabilities and no_new_privs: from here on there is no way back. */
int credentials_finish(const struct process *process);

#endif
