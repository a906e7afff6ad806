/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest uses: its processors, its memory, and each process of the workload (USAGE of protocol/PROTOCOL.md). */
#ifndef DKVM_USAGE_H
#define DKVM_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	USAGE_FIXED = 40,  /* bytes before the processes */
	USAGE_MAX = 65536, /* bytes */
	USAGE_TEXT = 255,  /* bytes of a command, or of a user's name */
	USAGE_ENTRY = 27,  /* bytes of a process beside its texts */
};

struct usage_view {
	int proc;           /* procfs of the machine's first PID namespace */
	const char *passwd; /* the workload's: names of users */
	bool machine;       /* the workload is in that namespace itself, beside the kernel's threads */
	pid_t agent;        /* which is there then, too, and not listed */
};

/*
 * Write it to size bytes, USAGE_FIXED at least. Processes that do not fit are counted only. Returns the bytes written, or -errno.
 * Reading a process's command may wait for whoever that process has its memory from: call it where nothing else waits.
 */
ssize_t usage_read(const struct usage_view *view, uint8_t *bytes, size_t size);

#endif
