/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a pod, /run/dkvm/vms/ID/pod of its pause container:
 *
 *     share/           a small filesystem, a shared mount: what is mounted here later comes into the VM's sandbox, and nowhere else
 *     share/N/NAME     a member's own slots
 *     share/volumes/   what several members share, until the pod ends
 *     plans/N.json     a member's plan, which create writes
 *     numbers/N        the largest number that was taken: it and those below it are taken for ever
 *     memory/NAME      of a volume in memory, a link whose text says whose tmpfs it is, "guest" or "host": create settles that once
 *     socket/          a small filesystem, too: the sandbox writes to it, and can fill nothing else
 *
 * Every function returns 0 or -errno, and makes up for what a call that was killed has left.
 */
#ifndef DKVM_PODSHARE_H
#define DKVM_PODSHARE_H

#include "common/failure.h"

#include <stdbool.h>

/* The member's file in its directory. */
#define POD_MEMBER "member"

/* Make the directory in that of a pause container. options: of a filesystem in memory. */
int podshare_make(int vm, const char *options, struct failure *failure);

/* Remove it with all that is mounted there. -ENOENT is no failure: there is none. */
int podshare_remove(int vm);

/* Whether the container of this directory is a pod's member. */
bool podshare_is_member(int vm);

/*
 * Mount the slots of the member whose directory vm is. vms: the directory of them all. Where it fails none of its own slots is left; a volume
 * stays, as others may have it by now.
 */
int podshare_join(int vms, int vm, struct failure *failure);

/*
 * Take the slots and the plan of the member with that id away, when the guest has unmounted them, or a few seconds later; where its pod is gone,
 * so are they. A pod that was started again may have given its number to another member: then there is nothing of it.
 */
int podshare_leave(int vms, int vm, const char *id);

#endif
