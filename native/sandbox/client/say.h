/* SPDX-License-Identifier: Apache-2.0 */
/* Short messages on standard error, without stdio: it would cost more memory than the rest of the program. */
#ifndef DKVM_SAY_H
#define DKVM_SAY_H

#include <stddef.h>

enum { DECIMAL_SIZE = 24 }; /* bytes: the longest number and its NUL */

/* Write "dkvm: ", the strings up to NULL and a newline, 1 KiB at most. */
void say(const char *first, ...) __attribute__((sentinel));

/* Write bytes to standard error; give up when its reader takes nothing for 5 seconds. */
void say_bytes(const char *bytes, size_t length);

/* The number as text in buffer; returns buffer. */
const char *decimal(char buffer[DECIMAL_SIZE], long number);

/* What an error number, positive or negative, means: "No such file or directory". */
const char *reason(int error);

#endif
