/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_PASSWD_H
#define DKVM_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Take the home of uid out of one line of passwd(5). False when the line is another's, or none. */
bool passwd_line_home(const char *line, uint32_t uid, char *home, size_t size);

/* Find the home of uid in a passwd file; "/" where it is not there. Lines over 1 KiB are passed over. */
void passwd_home(const char *path, uint32_t uid, char *home, size_t size);

/* Find the name of uid in a passwd file, likewise. False where it is not there, or longer than size - 1 bytes. */
bool passwd_name(const char *path, uint32_t uid, char *name, size_t size);

#endif
