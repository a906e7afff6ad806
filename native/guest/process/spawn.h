/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a process of the workload. */
#ifndef DKVM_SPAWN_H
#define DKVM_SPAWN_H

#include "common/failure.h"
#include "guest/process/members.h"
#include "guest/records/process.h"

#include <sys/types.h>

/* The agent's ends; -1 where there is none. All close on exec, all but status do not block. */
struct spawned {
	pid_t pid;
	int status; /* what the child has to say until it is the program: struct report, one a read */
	int input;  /* to its standard input */
	int output, error;
	bool sysinit; /* it is the VM's PID 1, and the agent another process by now */
};

enum report_kind {
	REPORT_TERMINAL = 1, /* comes with the terminal's master */
	REPORT_PID = 2,      /* number: its pid in the workload's namespace; the program starts next */
	REPORT_FAILED = 3,   /* number: exit code; text */
	REPORT_MOUNTS = 5,   /* comes with the mount namespace of a container that is being set up */
	REPORT_REBOOTS = 4,  /* comes with what tells of reboot(2): sysinit.h */
};

struct report {
	uint32_t kind;
	uint32_t number;
	char text[1024];
};

/* Start a process, of the VM's first container where member is NULL; first: it is the container's first. Returns 0, or -errno and why. */
int spawn(struct process *process, bool first, struct member *member, struct spawned *spawned, struct failure *error);

/*
 * Read what the child says. Returns 1 and the report (fd: the descriptor that came with it, or -1), 0 when it is the program now
 * or dead, -EAGAIN.
 */
int spawn_read_report(int status, struct report *report, int *fd);

#endif
