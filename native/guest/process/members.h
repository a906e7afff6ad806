/* SPDX-License-Identifier: Apache-2.0 */
/* The further containers of the VM, the members of a pod: from the first of their records until nothing is left of them. */
#ifndef DKVM_MEMBERS_H
#define DKVM_MEMBERS_H

#include "common/failure.h"
#include "guest/records/container.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	MEMBERS_MAX = 64,               /* that run, or end, at one time */
	MEMBER_NUMBERS = 1 << 20,       /* a number is smaller */
	MEMBERS_LOADING = 1024,         /* that have records and have not been started */
	MEMBERS_MAX_RECORDS = 16 << 20, /* bytes of those */
};

struct member {
	struct member *next;
	uint32_t number;
	bool begun; /* its first process has been asked for */
	bool up;    /* … and is a program */
	bool ended; /* … and has ended, or is to end */
	uint8_t *records;
	size_t size, capacity;
	struct container container; /* what they say; until its first process is there */
	pid_t first;                /* in the agent's PID namespace; 0: none */
	int pidfd;
	int mounts;       /* its mount namespace, kept until nobody uses what is in it; -1: none */
	bool shares_pids; /* its processes are in the first container's PID namespace */
	pid_t cleaner;    /* 0: none */
};

/* What is to be done with a process of a container. */
enum member_answer {
	MEMBER_GO,
	MEMBER_WAIT,     /* its first process is not a program yet */
	MEMBER_GONE,     /* it has ended */
	MEMBER_TOO_LATE, /* the VM takes no further one */
	MEMBER_TOO_MANY, /* there are MEMBERS_MAX; the number has been used */
	MEMBER_WRONG,    /* it was never there, or has been begun */
};

/* Take a piece of the records of one that has not been begun. Returns 0 or -EPROTO. */
int members_add_records(uint32_t number, const uint8_t *bytes, size_t size);

/* Whether one has been begun, and is not all gone. */
bool members_are_there(void);

/* Begin no further one. */
void members_close(void);

/* Whether one has been begun since the VM came up. */
bool members_were_there(void);

/* Begin a container, or find it for a further process of it. *member: with MEMBER_GO only. */
enum member_answer members_begin(uint32_t number, struct member **member);
enum member_answer members_find(uint32_t number, struct member **member);

/* Fork its first process, which has member_leave_agent and member_enter_first to do, or a further one, which has member_enter. As fork(2), or -errno. */
pid_t member_fork_first(struct member *member, struct failure *error);
pid_t member_fork(const struct member *member);

/* From the agent's mount namespace to one of its own, which the agent is to be given; and what is to be in that. */
int member_leave_agent(const struct member *member, struct failure *error);
int member_enter_first(const struct member *member, struct failure *error);
int member_enter(const struct member *member);

/* Kill all its processes. No further one is started. */
void member_kill(struct member *member);

/* Have what is left of it taken away by a child of the agent. Returns 0, also while that is at work, or -errno. */
int member_end(struct member *member);

/* Its cleaner has ended with that status. Returns whether the container ran out of memory. */
bool member_ended(struct member *member, int status);

/* The VM ends: what was killed of them for want of memory is not its first container's. */
void members_forget_kills(void);

/* Forget it. */
void member_release(struct member *member);

#endif
