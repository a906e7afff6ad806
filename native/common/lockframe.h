/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of LOCK and LOCK_ANSWER, as the guest's kernel has them: protocol/PROTOCOL.md, "Locks"; kernel/fuse-shared-locks.patch. */
#ifndef DKVM_LOCKFRAME_H
#define DKVM_LOCKFRAME_H

#include "common/frame.h"

enum {
	LOCK_FIXED = 48,      /* bytes before the path */
	LOCK_PATH_MAX = 8190, /* bytes */
	LOCK_ANSWER = 32,     /* bytes */
};

/* Offsets in LOCK. */
enum {
	LOCK_AT_ID = 0,
	LOCK_AT_OWNER = 8,
	LOCK_AT_INODE = 16,
	LOCK_AT_START = 24,
	LOCK_AT_END = 32,
	LOCK_AT_DEVICE = 40,
	LOCK_AT_OPERATION = 44,
	LOCK_AT_KIND = 45,
	LOCK_AT_TYPE = 46,
	LOCK_AT_FLAGS = 47,
};

/* … and in LOCK_ANSWER */
enum { LOCK_ANSWER_AT_ERROR = 24 };

enum lock_operation { LOCK_TAKE = 1, LOCK_GIVE = 2, LOCK_TEST = 3, LOCK_CANCEL = 4 };
enum lock_kind { LOCK_POSIX = 0, LOCK_FLOCK = 1 };
enum lock_type { LOCK_TYPE_NONE = 0, LOCK_TYPE_READ = 1, LOCK_TYPE_WRITE = 2 };
enum lock_flag { LOCK_WAIT = 1, LOCK_LAST = 2 };

#endif
