/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds dkvm-locks in a test: a monitor, an agent, and others on the host. */
#ifndef DKVM_LOCKS_FAKE_H
#define DKVM_LOCKS_FAKE_H

#include "wire.h"

#include "common/lockframe.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WHOLE INT64_MAX

enum { FILES_MAX = 144 }; /* that dkvm-locks may have open */

struct wish {
	enum lock_operation operation;
	enum lock_kind kind;
	enum lock_type type;
	uint8_t flags;
	uint64_t owner, inode, from, to;
	const char *path;
};

extern pid_t locks_pid;
extern uint64_t last_id; /* of a request */

/* A directory with a share, in whose slot 1 "file" is. */
bool locks_set_up(void);
void locks_clear(void);

/* The path of a name in slot 1 of the share, until the next one is asked for. */
const char *in(const char *name);
uint64_t inode_of(const char *name);

/* Somebody on the host: opens a file, tries to lock it. */
int open_file(const char *name);
bool is_free(const char *name);

void start_program(void);
/* … after what the child does first. */
void start_program_with(void (*first)(void));
/* Returns its exit code. */
int end_program(void);

/* Returns the payload's size. */
uint32_t write_wish(uint8_t *payload, uint64_t id, const struct wish *wish);
/* Returns the request's number. */
uint64_t ask(const struct wish *wish);
/* The error of the answer to a request, -1 where another comes. */
int answer_to(uint64_t id);
void cancel(uint64_t id);

/* Wishes for locks of "file". */
struct wish flock_of(uint64_t owner, enum lock_type type, uint8_t flags);
struct wish range_of(uint64_t owner, enum lock_type type, uint64_t from, uint64_t to);

/* Ask, and return the error of the answer. */
int take(struct wish wish);
int give(struct wish wish, uint8_t flags);

#endif
