/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that print TAP lines. */
#ifndef DKVM_CHECK_H
#define DKVM_CHECK_H

#include <stdbool.h>
#include <stdio.h>

static int check_count;
static int check_failures;

static inline bool check_at(bool good, const char *fact, const char *file, int line)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++check_count, fact);
	if (!good) {
		printf("# at %s:%d\n", file, line);
		check_failures++;
	}
	fflush(stdout);
	return good;
}

#define CHECK(fact, condition) check_at((condition), (fact), __FILE__, __LINE__)

static inline int check_end(void)
{
	printf("1..%d\n", check_count);
	return check_failures > 0 ? 1 : 0;
}

#endif
