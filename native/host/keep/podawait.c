/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keep/podawait.h"

#include "common/files.h"
#include "common/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "monitor.sock"

#ifndef END_PATIENCE
#define END_PATIENCE 5000 /* ms */
#endif

/* A socket that was made there: no link to another, and none that is mounted. */
static int find(int directory)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	struct stat st;
	int fd = (int)syscall(SYS_openat2, directory, SOCKET, &how, sizeof how);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		return fd;
	close(fd);
	return -ENOTSOCK;
}

static int connect_to(int directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int found = find(directory);

	if (found < 0)
		return found;
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", found);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	int error = -errno;
	close_cleanup(&fd);
	return error;
}

void podawait_end(int socket, uint32_t number)
{
	uint8_t attach[FRAME_HEADER + ATTACH_SIZE] = {0};
	auto_close int fd = connect_to(socket);
	struct pollfd answer = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		return;
	frame_header(attach, FRAME_ATTACH, MAIN_STREAM, ATTACH_SIZE);
	attach[FRAME_HEADER] = PROTOCOL_VERSION;
	attach[FRAME_HEADER + 1] = ROLE_END;
	put_u32(attach + FRAME_HEADER + 16, number);
	/* an answer, whichever, or the end of the connection */
	if (send(fd, attach, sizeof attach, MSG_NOSIGNAL) == (ssize_t)sizeof attach)
		poll(&answer, 1, END_PATIENCE);
}
