/* SPDX-License-Identifier: Apache-2.0 */
/* A program whose openat2(2) does not return, as on a network's volume that hangs: each call is held up here. See seccomp_unotify(2). */
#ifndef DKVM_HELD_CALLS_H
#define DKVM_HELD_CALLS_H

#include <stdbool.h>

/* In the test, before the program is started. */
bool held_calls_open(void);

/* In the child, before it calls exec: from here on its calls come to the test. */
void held_calls_install(void);

/* In the test, when it has: all calls go on but while they are held. */
bool held_calls_serve(void);

/* Hold the calls from now on; wait until so many are held; let all go. */
void held_calls_hold(void);
bool held_calls_wait(int count);
void held_calls_pass(void);

/* Hold no more than those that are held now. */
void held_calls_no_more(void);

#endif
