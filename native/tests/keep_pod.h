/* SPDX-License-Identifier: Apache-2.0 */
/* A host for dkvm-keep: a mount namespace with an own /run, whose mounts are shared, and directories to mount. */
#ifndef DKVM_KEEP_POD_H
#define DKVM_KEEP_POD_H

#include <stdbool.h>

extern char keep_build[512]; /* where the programs are */
extern char keep_here[64];   /* the working directory: rootfs, volume, file, outside, sandbox, elsewhere */

/* False where it can not be made. */
bool keep_setup(void);
void keep_cleanup(void);

/* Whether a shell's command succeeds. */
bool keep_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* dkvm-keep COMMAND ID [PROGRAM], with the pod "s"; its exit code. */
int keep_run(const char *command, const char *id, const char *program);

/* Whether the last one said so. */
bool keep_said(const char *text);

/* What create writes of a pod, of a member: "%h" is the working directory. */
bool keep_pod(const char *id);
bool keep_member(const char *id, const char *text);

/* The pod "s" begins. */
void pod_begin(void);

/* dkvm-keep begin ID true, killed before its so manieth call of those that change something; false where it has ended before that. */
bool keep_killed_at(int call, const char *id);

#endif
