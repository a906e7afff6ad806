/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/serial.h"

#include "common/clock.h"
#include "common/files.h"
#include "common/loop.h"
#include "guest/process/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
	FINISH_MILLIS = 2000, /* a reader that takes nothing for so long is not waited for */
	STEP_MILLIS = 5,
};

/* Bytes on their way. */
struct way {
	uint8_t bytes[4096];
	size_t start, size;
};

static struct source port = {.fd = -1}, terminal = {.fd = -1};
static struct way out, in;

int serial_open(const char *name)
{
	char path[32];
	struct termios mode;

	snprintf(path, sizeof path, "/dev/%s", name);
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &mode) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	cfmakeraw(&mode);
	/* nobody tells of a carrier */
	mode.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&mode, B115200);
	tcsetattr(fd, TCSANOW, &mode);
	port.fd = fd;
	return 0;
}

/* A terminal whose programs have closed it says EIO; a port that somebody took over hangs up. */
static void take(struct source *from, struct way *way)
{
	if (from->fd < 0 || way->size > 0)
		return;
	ssize_t n = read(from->fd, way->bytes, sizeof way->bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_close(from);
		return;
	}
	way->start = 0;
	way->size = (size_t)n;
}

static void give(struct way *way, struct source *to)
{
	while (way->size > 0 && to->fd >= 0) {
		ssize_t n = write(to->fd, way->bytes + way->start, way->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			loop_close(to);
			break;
		}
		way->start += (size_t)n;
		way->size -= (size_t)n;
	}
	/* with nobody to take it: a program must not wait for ever */
	way->size = 0;
}

static void ready(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	take(&terminal, &out);
	give(&out, &port);
	take(&port, &in);
	give(&in, &terminal);
	loop_set(&terminal, (out.size > 0 ? 0 : EPOLLIN) | (in.size > 0 ? EPOLLOUT : 0));
	loop_set(&port, (in.size > 0 ? 0 : EPOLLIN) | (out.size > 0 ? EPOLLOUT : 0));
}

void serial_join(int master)
{
	loop_add(&terminal, master, EPOLLIN, ready);
	if (port.fd >= 0)
		loop_add(&port, port.fd, EPOLLIN, ready);
}

void serial_resize(uint16_t rows, uint16_t columns)
{
	if (terminal.fd >= 0)
		terminal_resize(terminal.fd, rows, columns);
}

/* Whether the port has sent all it was given. See ioctl_tty(2), TIOCOUTQ and TIOCSERGETLSR. */
static bool port_is_empty(void)
{
	int waiting = 0;
	unsigned state = TIOCSER_TEMT;

	return ioctl(port.fd, TIOCOUTQ, &waiting) < 0 ||
	       (waiting == 0 && (ioctl(port.fd, TIOCSERGETLSR, &state) < 0 || (state & TIOCSER_TEMT)));
}

void serial_finish(void)
{
	int64_t deadline = now_millis() + FINISH_MILLIS;

	for (;;) {
		size_t before = out.size;
		take(&terminal, &out);
		give(&out, &port);
		if (port.fd < 0 || (out.size == 0 && terminal.fd < 0 && port_is_empty()))
			break;
		if (out.size < before)
			deadline = now_millis() + FINISH_MILLIS;
		if (now_millis() >= deadline)
			break;
		if (out.size > 0 || terminal.fd < 0)
			poll(NULL, 0, STEP_MILLIS);
	}
	loop_close(&terminal);
	loop_close(&port);
}
