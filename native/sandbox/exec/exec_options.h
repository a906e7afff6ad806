/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dkvm-exec. */
#ifndef DKVM_EXEC_OPTIONS_H
#define DKVM_EXEC_OPTIONS_H

#include "sandbox/client/request.h"

#include <stdbool.h>

struct exec_options {
	const char *socket;
	bool terminal;
	uint32_t signal;    /* for the workload; 0: a program is to be run */
	bool update;        /* the VM's limits are to be changed */
	bool usage;         /* what the guest uses is to be told */
	uint64_t limits[3]; /* memory in bytes, processors, processes; 0: as it is */
};

/*
 * Read the command line into options and, as records, into request. Returns NULL, or what is wrong: an
 * option's name or its argument.
 */
const char *exec_options_parse(struct exec_options *options, struct request *request, char **argv);

#endif
