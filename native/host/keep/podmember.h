/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What create tells dkvm-keep of a pod's member: the file "member" in the directory of its container. The first line is the id of the pod's
 * pause container and the member's number, each other line a slot, its flags, whether what is mounted below the source comes along, and
 * the source; tabs divide them.
 */
#ifndef DKVM_PODMEMBER_H
#define DKVM_PODMEMBER_H

#include "common/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POD_MEMBER_BYTES = 1 << 20,
	POD_SLOTS_MAX = 1024,
	POD_NUMBER_SIZE = 11, /* letters of a number, and its end */
};

struct pod_slot {
	const char *name;    /* in the directory of the member, or of the volumes: one name */
	const char *source;  /* an absolute path */
	unsigned long flags; /* MS_* of mount(2), for mount_setattr(2) to set */
	bool volume;         /* members share it; else it is the member's own */
	bool file;           /* its name says that it is no directory */
	bool recursive;
};

/* All point into the text. */
struct pod_member {
	const char *pod; /* the pause container's id */
	char number[POD_NUMBER_SIZE];
	size_t count;
	struct pod_slot slots[POD_SLOTS_MAX];
};

/*
 * Read the whole text, which has a NUL at its end that size does not count, and is cut to pieces. Returns 0, or -EINVAL and what is
 * wrong in failure; where the first line is right, the member knows its pod and its number even then.
 */
int pod_member_parse(char *text, size_t size, struct pod_member *member, struct failure *failure);

#endif
