/* SPDX-License-Identifier: Apache-2.0 */
/* The only file of the image dkvm-test/pause: holds a pod's namespaces until it is told to end. */
#include <signal.h>
#include <unistd.h>

static void end(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	signal(SIGTERM, end);
	signal(SIGINT, end);
	for (;;)
		pause();
}
