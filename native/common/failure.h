/* SPDX-License-Identifier: Apache-2.0 */
/* Why something failed, in words for the user, handed up beside the errno. */
#ifndef DKVM_FAILURE_H
#define DKVM_FAILURE_H

struct failure {
	char text[1024];
};

/* Write the text and return the errno given, negative. */
int fail(struct failure *failure, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
