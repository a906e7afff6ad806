/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/endpoint.h"

#include "sandbox/client/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	WRITE_MOST = 65536,      /* bytes */
	TERMINAL_BLOCKING = 256, /* bytes: what a terminal that polls writable takes at once */
};

int endpoint_fill_holes(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		int opened = open("/dev/null", O_RDWR | O_NOCTTY);
		if (opened < 0)
			return -errno;
	}
	return 0;
}

bool endpoint_is_null(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

/*
 * O_NONBLOCK belongs to the open file, which the caller and others may share, and must not be set on it.
 * A pipe or a terminal can be opened once more through /proc; a regular file must not be, its position
 * is shared on purpose.
 */
static int reopen(int fd, int direction)
{
	static const char directory[] = "/proc/self/fd/";
	char path[sizeof directory + DECIMAL_SIZE];
	char *p = path;

	for (const char *q = directory; *q; q++)
		*p++ = *q;
	decimal(p, fd);
	return open(path, direction | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void endpoint_open(struct endpoint *endpoint, int fd, int direction)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL);

	*endpoint = (struct endpoint){.fd = fd, .original = fd, .kind = ENDPOINT_PLAIN, .most = WRITE_MOST};
	if (flags < 0 || fstat(fd, &status) < 0)
		return;
	bool terminal = S_ISCHR(status.st_mode) && isatty(fd);

	if (S_ISSOCK(status.st_mode)) {
		endpoint->kind = ENDPOINT_SOCKET;
	} else if (flags & O_NONBLOCK) {
		endpoint->kind = ENDPOINT_NONBLOCKING;
	} else if (S_ISFIFO(status.st_mode) || terminal) {
		bool usable = (flags & O_ACCMODE) == direction || (flags & O_ACCMODE) == O_RDWR;
		int again = usable ? reopen(fd, direction) : -1;

		if (again >= 0) {
			endpoint->fd = again;
			endpoint->kind = ENDPOINT_NONBLOCKING;
		} else {
			endpoint->most = terminal ? TERMINAL_BLOCKING : PIPE_BUF;
		}
	}
}

ssize_t endpoint_read(struct endpoint *endpoint, void *bytes, size_t size)
{
	ssize_t n = endpoint->kind == ENDPOINT_SOCKET ? recv(endpoint->fd, bytes, size, MSG_DONTWAIT)
						      : read(endpoint->fd, bytes, size);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0;
}

size_t endpoint_write(struct endpoint *endpoint, const void *bytes, size_t size)
{
	size_t piece = size < endpoint->most ? size : endpoint->most;

	if (endpoint->dead)
		return size;
	ssize_t n = endpoint->kind == ENDPOINT_SOCKET ? send(endpoint->fd, bytes, piece, MSG_DONTWAIT | MSG_NOSIGNAL)
						      : write(endpoint->fd, bytes, piece);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	endpoint->dead = true;
	return size;
}

void endpoint_close(struct endpoint *endpoint)
{
	if (endpoint->fd != endpoint->original)
		close(endpoint->fd);
	close(endpoint->original);
	endpoint->fd = -1;
	endpoint->dead = true;
}
