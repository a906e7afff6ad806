/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor asks to be started, and what it is told of it: a connection for each program. Little-endian.
 *
 *     request    length of what follows 4 | kind 1 | flags 1 | number of descriptors 1 | of arguments 2 | of variables 2 | those
 *       descriptor  how 1 | its number in the program 1 | path, ends with NUL; for STARTER_DISK another one: root, and path in it.
 *                   STARTER_READ and STARTER_WRITE open a terminal, and nothing else
 *                   STARTER_MEMORY, STARTER_STATE: of what the VM is restored from; the path means nothing
 *       argument    text, ends with NUL; the first is the program's path
 *       variable    NAME=value, ends with NUL; beside those that every program has
 *     after it   a byte for each signal to send: its number. The end of what is sent: SIGKILL
 *     answers    kind 1 | length 2 | STARTED: pid 4 · FAILED: text · WORDS: what it wrote · ENDED: exit code 4, 128 + a signal's number
 */
#ifndef DKVM_STARTER_REQUEST_H
#define DKVM_STARTER_REQUEST_H

#include "sandbox/init/launch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STARTER_LENGTH = 4,    /* bytes before a request */
	STARTER_MOST = 131072, /* bytes of a request */
	STARTER_ARGUMENTS = 512,
	STARTER_VARIABLES = 16,
	STARTER_FIRST = 3, /* numbers of descriptors */
	STARTER_LAST = 99,
};

/* What can be started, each with rights of its own. */
enum starter_kind {
	STARTER_VIRTIOFSD,
	STARTER_QEMU,
	STARTER_DISKS,
	STARTER_SOCKETS,
	STARTER_EXHAUST,
	STARTER_LOCKS,
	STARTER_EVENTS,
	STARTER_WEB,
	STARTER_KINDS
};

enum starter_flag { STARTER_TERMINAL = 1 }; /* standard input and output are the container's terminal */

enum starter_how {
	STARTER_CONNECT = 1,
	STARTER_READ = 2,
	STARTER_WRITE = 3,
	STARTER_DISK = 4,
	STARTER_MEMORY = 5,
	STARTER_STATE = 6
};

enum starter_answer { STARTER_STARTED = 1, STARTER_FAILED = 2, STARTER_WORDS = 3, STARTER_ENDED = 4 };

struct starter_descriptor {
	enum starter_how how;
	int number;
	const char *root; /* STARTER_DISK only */
	const char *path;
};

/* Its texts lie in what was read. */
struct starter_request {
	enum starter_kind kind;
	bool terminal;
	size_t descriptor_count, variable_count;
	struct starter_descriptor descriptors[LAUNCH_HANDED];
	char *arguments[STARTER_ARGUMENTS + 1];
	char *variables[STARTER_VARIABLES];
};

/* Read a request without its length. false: it is not well-formed, or not one of these programs. */
bool starter_request_read(struct starter_request *request, char *bytes, size_t size);

#endif
