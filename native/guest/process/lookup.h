/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_LOOKUP_H
#define DKVM_LOOKUP_H

#include <limits.h>

/*
 * Find a program as Go's exec.LookPath does, which is what runc uses: a name with a slash stands for itself, any
 * other is looked for in path (the value of PATH, NULL: none). Returns 0 and the program; -ENOENT, -EACCES or what
 * stat(2) said. A name that is nowhere in the path is -ESRCH, to tell it from a file that is missing.
 */
int lookup_program(const char *name, const char *path, char program[static PATH_MAX]);

#endif
