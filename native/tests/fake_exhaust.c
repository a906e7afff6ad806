/* SPDX-License-Identifier: Apache-2.0 */
/* In dkvm-exhaust's place: says how much it was to take, and what it has of signals. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	dprintf(STDERR_FILENO, "exhaust %s%s%s\n", argc == 2 ? argv[1] : "?",
		sigismember(&blocked, SIGTERM) ? " blocked" : "", alarm(0) > 0 ? " for a while" : "");
	return 1;
}
