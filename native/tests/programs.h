/* SPDX-License-Identifier: Apache-2.0 */
/* Starting dkvm-init, dkvm-exec and the fake monitor, feeding them and collecting what they print. */
#ifndef DKVM_PROGRAMS_H
#define DKVM_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
	pid_t pid;
	int in, out, err; /* our ends, -1: none */
	pid_t monitor;    /* of exec: the fake */
	int code;         /* of exit, 128 + n for a signal; set by program_finish() */
	uint64_t out_length, err_length;
	bool out_exact, err_exact; /* as pattern() says */
	char out_text[8192], err_text[8192];
};

enum stdio_kind { STDIO_PIPES, STDIO_SOCKETS, STDIO_NULL_INPUT, STDIO_CLOSED_INPUT };

/*
 * Find the programs, next to the test itself, and make a directory for sockets and logs. Ends the process if
 * that fails.
 */
void programs_setup(void);
void programs_cleanup(void);
extern char programs_socket[128], programs_log[128], programs_build[512];

/* dkvm-init with a scenario of the fake monitor. */
void program_init(struct program *program, const char *scenario, enum stdio_kind kind);

/* dkvm-exec with options and arguments, and the fake with a scenario. */
void program_exec(struct program *program, const char *scenario, enum stdio_kind kind, const char *const *arguments);

/* Start argv with these as its fds 0, 1, 2; -1: closed. */
pid_t program_spawn(const char *const *argv, int in, int out, int err);

/* Listen at programs_socket and start the fake on it. */
pid_t program_fake(const char *scenario);

/* Feed so many bytes of the pattern, read all output, wait for the end. Kills it after 60 s. */
void program_finish(struct program *program, uint64_t feed);

/* Read from fd until what came contains text, for 10 s at most; appends it to program->out_text or err_text. */
bool program_expect(struct program *program, int fd, const char *text);

/* Wait until nobody holds the lock on the log; false after 5 s. */
bool programs_all_gone(void);

#endif
