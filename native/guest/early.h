/* SPDX-License-Identifier: Apache-2.0 */
/* What is there before the root: the initramfs and its /dev, /sys and /proc. */
#ifndef DKVM_EARLY_H
#define DKVM_EARLY_H

#include <sys/resource.h>

/*
 * Descriptors that stay open while the agent lives. The initramfs and its /proc are out of the workload's sight,
 * and what the agent writes to /proc goes there, whatever the workload mounts over its own.
 */
struct early {
	int root;            /* O_PATH: / of the initramfs */
	int proc;            /* O_PATH: procfs of the machine's first PID namespace */
	int sys;             /* O_PATH: sysfs, wherever it is moved to */
	int exe;             /* O_PATH: the agent's own program */
	struct rlimit files; /* open files as the kernel gave them: what the workload starts from */
};

extern struct early early;

/* Mount them and give descriptors 0, 1 and 2 to /dev/null. */
int early_open(void);

/* Let the agent open as many files as it has sessions for. */
void early_raise_limits(void);

/* What the agent is called in the list of processes: argv[0] as main got it. */
void early_named(char *name);
void early_rename(const char *name);

/* Load what a list in the initramfs's root names, in its order; nothing without that file. */
void early_load_modules(const char *name);

#endif
