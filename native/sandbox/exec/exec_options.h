/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dkvm-exec. */
#ifndef DKVM_EXEC_OPTIONS_H
#define DKVM_EXEC_OPTIONS_H

#include "sandbox/client/request.h"

#include <stdbool.h>

struct exec_options {
	const char *socket;
	bool terminal;
	uint32_t container;  /* whose process, signal or limits it is */
	bool member;         /* we are PID 1 of that container's sandbox, and its main session's client */
	const char *exhaust; /* bytes that are taken where the container ran out of memory; NULL: none are */
	uint32_t signal;     /* for the workload; 0: a program is to be run */
	bool update;         /* the VM's limits are to be changed */
	bool usage;          /* what the guest uses is to be told */
	uint64_t limits[3];  /* memory in bytes, processors, processes; 0: as it is */
};

/*
 * Read the command line into options and, as records, into request. Returns NULL, or what is wrong: an
 * option's name or its argument.
 */
const char *exec_options_parse(struct exec_options *options, struct request *request, char **argv);

#endif
