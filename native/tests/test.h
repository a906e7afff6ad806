/* SPDX-License-Identifier: Apache-2.0 */
/* Tests as facts: each prints a line of TAP, and the program fails where one of them does. */
#ifndef DKVM_TEST_H
#define DKVM_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static int tests_run, tests_failed;
static bool test_holds;

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			test_holds = false;                                                                            \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                                       \
		}                                                                                                      \
	} while (0)

static void test(const char *fact, void (*body)(void))
{
	test_holds = true;
	body();
	printf("%s %d - %s\n", test_holds ? "ok" : "not ok", ++tests_run, fact);
	tests_failed += !test_holds;
}

static int tests_end(void)
{
	printf("1..%d\n", tests_run);
	return tests_failed ? 1 : 0;
}

/* Numbers that are the same in every run (xorshift). */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
