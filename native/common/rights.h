/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of the sandbox may do: its user, and its capabilities. See capabilities(7). */
#ifndef DKVM_RIGHTS_H
#define DKVM_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

struct rights {
	uint32_t uid;
	uint32_t gid;
	uint64_t capabilities; /* a bit for each */
};

/* Read UID:GID:CAPABILITIES; the last is hexadecimal. */
bool rights_parse(struct rights *rights, const char *text);

/*
 * Have these rights from the next execve(2) on, and none of them can come back: every other capability leaves every set, and no
 * program that is executed brings any. 0 or -errno.
 */
int rights_take(const struct rights *rights);

/* Drop every capability but those kept; those that are effective can be used, the others handed to a child. 0 or -errno. */
int rights_keep(uint64_t kept, uint64_t effective);

/* Make usable all that is kept, to take other rights or act with them. 0 or -errno. */
int rights_use_all(void);

#endif
