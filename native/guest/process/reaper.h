/* SPDX-License-Identifier: Apache-2.0 */
/* The init of `docker run --init`: PID 1 of the workload's namespace. */
#ifndef DKVM_REAPER_H
#define DKVM_REAPER_H

/* What ps shows, and how the agent's program knows that it is the init. */
#define REAPER_NAME "/sbin/docker-init"

/* Run a program, pass signals on to it, reap orphans, and return its exit code. */
int reaper_run(char **argv);

#endif
