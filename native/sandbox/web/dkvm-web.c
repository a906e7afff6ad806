/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-web: serves noVNC's pages, and hands what its websocket brings through to QEMU's.
 *     dkvm-web PORT SCREEN PAGES
 * PORT is the TCP port, at all addresses. SCREEN is the unix socket at which QEMU takes websockets, PAGES the directory of the pages. It
 * asks for no password: QEMU does. Before the first connection is taken, all pages are in memory and no file can be opened any more. It
 * says then that it serves: whoever started it tells by that whether it could not, or was brought to its end by what it was sent.
 */
#include "common/clock.h"
#include "common/confine.h"
#include "sandbox/web/web_connection.h"
#include "sandbox/web/web_pages.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	WAITING = 64, /* connections that nobody has taken yet */
	PORT_MOST = 65535,
	NO_FILE_MILLIS = 100, /* before a connection is taken again, where there was no descriptor for it */
};

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerrordesc_np(error < 0 ? -error : error));
	exit(1);
}

static int listen_at(int family, const struct sockaddr *address, socklen_t size)
{
	const int yes = 1, no = 0;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* both families by one socket, whatever the host's default is */
	if ((family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) < 0) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 || bind(fd, address, size) < 0 ||
	    listen(fd, WAITING) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* At all addresses; a kernel without IPv6 has those of IPv4. */
static int listen_everywhere(uint16_t port)
{
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
	const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = listen_at(AF_INET6, (const struct sockaddr *)&six, sizeof six);

	return fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL
		       ? listen_at(AF_INET, (const struct sockaddr *)&four, sizeof four)
		       : fd;
}

/* false: there is no descriptor for it, and a little time has to pass. */
static bool accept_some(int listener)
{
	for (int i = 0; i < CONNECTIONS_MOST; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
		connections_add(fd, now_millis());
	}
	return true;
}

static _Noreturn void serve(int listener)
{
	static struct pollfd polls[CONNECTION_POLLS + 1];
	bool takes = true;

	for (;;) {
		int millis = connections_patience(now_millis());

		if (!takes && (millis < 0 || millis > NO_FILE_MILLIS))
			millis = NO_FILE_MILLIS;
		const struct timespec time = {millis / 1000, millis % 1000 * 1000000L};
		connections_polls(polls);
		polls[CONNECTION_POLLS] = (struct pollfd){takes ? listener : -1, POLLIN, 0};
		if (ppoll(polls, CONNECTION_POLLS + 1, millis < 0 ? NULL : &time, NULL) < 0) {
			if (errno != EINTR)
				die("poll", errno);
			continue;
		}
		connections_ready(polls, now_millis());
		takes = !polls[CONNECTION_POLLS].revents || accept_some(listener);
	}
}

int main(int argc, char **argv)
{
	/* nobody without CAP_SYS_PTRACE reads our memory, whatever user it is: see PR_SET_DUMPABLE in prctl(2) */
	prctl(PR_SET_DUMPABLE, 0);
	char *end = NULL;
	unsigned long port = argc == 4 ? strtoul(argv[1], &end, 10) : 0;

	if (port == 0 || port > PORT_MOST || *end != '\0') {
		fprintf(stderr, "dkvm-web PORT SCREEN PAGES\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	int r = pages_open(argv[3]);
	if (r < 0)
		die(argv[3], r);
	int listener = listen_everywhere((uint16_t)port);
	if (listener < 0) {
		fprintf(stderr, "can not listen at TCP port %lu: %s\n", port, strerrordesc_np(-listener));
		return 1;
	}
	connections_open(argv[2]);
	r = confine_to_sockets();
	if (r < 0)
		die("seccomp", r);
	fprintf(stderr, "serves the screen at TCP port %lu\n", port);
	serve(listener);
}
