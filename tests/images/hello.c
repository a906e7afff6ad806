/* SPDX-License-Identifier: Apache-2.0 */
/* The only file of the image dkvm-test/hello: static, so that it needs nothing else. */
#include <stdio.h>

int main(void)
{
	puts("Hello from a container image!\n"
	     "\n"
	     "This text was written by the only file of an image made FROM scratch: a static\n"
	     "binary, with no shell, no /etc/passwd and no C library beside it.");
	return 0;
}
