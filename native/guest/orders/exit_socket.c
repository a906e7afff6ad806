/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/exit_socket.h"

#include "common/files.h"
#include "common/loop.h"
#include "guest/session/sessions.h"
#include "guest/setup/ownfiles.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { QEMU_EXIT_MAX = 127 };

static struct source exit_socket = {.fd = -1};
static int said = -1;

static void exit_socket_ready(struct source *source, uint32_t events)
{
	char text[16];
	const struct timeval patience = {.tv_usec = 100 * 1000};
	auto_close int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
		return;
	ssize_t n = recv(fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return;
	text[n] = '\0';
	int code = exit_code_parse(text, QEMU_EXIT_MAX);
	if (code < 0)
		return;
	said = code;
	sessions_kill();
}

void exit_socket_open(void)
{
	int fd = ownfiles_listen();

	if (fd >= 0)
		loop_add(&exit_socket, fd, EPOLLIN, exit_socket_ready);
}

void exit_socket_close(void)
{
	loop_close(&exit_socket);
}

int exit_socket_code(void)
{
	return said;
}
