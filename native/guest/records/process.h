/* SPDX-License-Identifier: Apache-2.0 */
/* A process's records (OPEN), read and checked. Pure: no system calls. */
#ifndef DKVM_PROCESS_H
#define DKVM_PROCESS_H

#include "common/frame.h"
#include "common/span.h"

enum {
	PROCESS_MAX_RECORDS = 4 * 1024 * 1024, /* bytes */
	PROCESS_MAX_GROUPS = 1024,
	PROCESS_DEVICE_SIZE = 16, /* bytes: a device's name and its NUL */
};

enum capability_set { CAPS_BOUNDING, CAPS_EFFECTIVE, CAPS_PERMITTED, CAPS_INHERITABLE, CAPS_AMBIENT, CAPS_SETS };

struct process {
	struct span records;
	uint32_t args, envs;
	struct span cwd; /* empty: not given */
	uint32_t uid, gid;
	struct span groups; /* u32 each, unaligned */
	bool terminal;
	uint16_t rows, columns;
	char device[PROCESS_DEVICE_SIZE]; /* of /dev; empty: none but a pseudo-terminal */
	bool direct;                      /* the device is the terminal; else a pseudo-terminal is joined to it */
	bool stdin_open;
	bool has_capabilities;
	uint64_t capabilities[CAPS_SETS];
	bool no_new_privileges;
	int32_t oom_score_adj;
	bool init;
	bool set_home;
	uint32_t umask;
	uint64_t ignored_signals; /* signal n is bit n - 1 */
	uint32_t container;       /* whose it is; 0: the VM's first */
	bool begins_container;    /* it is the first process of that container, which is set up for it */
};

struct rlimit_record {
	uint32_t resource; /* RLIMIT_* */
	uint64_t soft, hard;
};

/* Read and check every record. Returns 0 or -EPROTO. */
int process_parse(uint8_t *records, size_t size, struct process *process);

/*
 * Terminate the strings of ARG and ENV where they lie and put them into argv (args + 1 places) and envp
 * (envs + 1 places). One byte behind the records must be there to be written; no record can be read afterwards.
 */
void process_strings(struct process *process, char **argv, char **envp);

/* Read the next RLIMIT from *at (0 first) on; false when there is none. */
bool process_next_rlimit(const struct process *process, size_t *at, struct rlimit_record *limit);

#endif
