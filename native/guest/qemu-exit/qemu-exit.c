/* SPDX-License-Identifier: Apache-2.0 */
/* qemu-exit CODE: end the virtual machine with this exit code, 0 to 127. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/.dkvm/qemu-exit.sock"};
	char *end = NULL;
	long code = argc == 2 ? strtol(argv[1], &end, 10) : -1;

	if (!end || end == argv[1] || *end != '\0' || code < 0 || code > 127) {
		dprintf(STDERR_FILENO, "usage: qemu-exit CODE, from 0 to 127\n");
		return 2;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
	    dprintf(fd, "%ld\n", code) < 0) {
		dprintf(STDERR_FILENO, "qemu-exit: the agent does not answer at %s\n", address.sun_path);
		return 1;
	}
	/* the machine ends, and this process with it */
	for (;;)
		pause();
}
