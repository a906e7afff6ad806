/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-network: the one process of a sandbox that may change its network. dkvm-init starts it before the monitor.
 *
 *     dkvm-network OWNER guarded|free
 *     dkvm-network check
 *
 * OWNER is the uid that may open taps: QEMU's. guarded: what the VM sends in another's name is dropped. Standard input is a listening socket, at which one client is served, the monitor, until
 * it hangs up: takeover_order.h. At the beginning it is told, by an answer of its own, that changes are watched from now on; for what
 * changes a byte is written to standard output. What there is to say else goes to standard error.
 * The second form tries, in a namespace where it may do so, whether the kernel has all that it takes: exit code 0, or 1 and a text.
 */
#include "common/files.h"
#include "common/frame.h"
#include "sandbox/network/rtmessage.h"
#include "sandbox/network/takeover.h"
#include "sandbox/network/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHANGES = STDOUT_FILENO };

struct server {
	int client; /* -1 before it has come */
	int watch;
	struct takeover_policy policy;
	size_t received;
	uint8_t request[ORDER_LENGTH + ORDER_MOST];
};

static _Noreturn void die(const char *what, int error)
{
	char reason[64];

	fprintf(stderr, "dkvm-network: %s: %s\n", what, error_text(-error, reason));
	exit(1);
}

static void answer(const struct server *server, uint16_t number, int result, const char *text)
{
	uint8_t message[ANSWER_MOST];
	size_t length = strnlen(text, sizeof message - ORDER_LENGTH - 1);

	put_u16(message, (uint16_t)(1 + length));
	put_u16(message + 2, number);
	message[ORDER_LENGTH] = result < 0;
	memcpy(message + ORDER_LENGTH + 1, text, length);
	/* it is short, and a client that reads no answers is none */
	if (send(server->client, message, ORDER_LENGTH + 1 + length, MSG_NOSIGNAL) < 0)
		die("the monitor", -errno);
}

static void serve(struct server *server, uint16_t number, const uint8_t *bytes, size_t size)
{
	struct takeover_order order;
	struct takeover_fault fault = {""};

	if (!takeover_order_read(&order, bytes, size))
		die("a request", -EBADMSG);
	int r = takeover_do(&order, &server->policy, &fault);

	answer(server, number, r, fault.text);
}

/* One request and not a byte more: whoever did not wait for an answer may have sent the next one. */
static void receive(struct server *server)
{
	size_t length = server->received < ORDER_LENGTH ? 0 : get_u16(server->request);
	ssize_t n =
		recv(server->client, server->request + server->received, ORDER_LENGTH + length - server->received, 0);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		exit(0);
	server->received += (size_t)n;
	if (server->received < ORDER_LENGTH)
		return;
	length = get_u16(server->request);
	if (length == 0 || length > ORDER_MOST)
		die("a request", -EMSGSIZE);
	if (server->received < ORDER_LENGTH + length)
		return;
	server->received = 0;
	serve(server, get_u16(server->request + 2), server->request + ORDER_LENGTH, length);
}

static void await_client(struct server *server)
{
	int client = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return;
	/* nobody else is ever served */
	close(STDIN_FILENO);
	server->client = client;
	answer(server, 0, 0, "");
}

static void tell(int watch)
{
	/* a pipe that is full says it already */
	if (watch_drain(watch) && write(CHANGES, "", 1) < 0 && errno != EAGAIN && errno != EINTR)
		exit(0);
}

static bool read_policy(struct takeover_policy *policy, int argc, char **argv)
{
	char *end = NULL;
	unsigned long owner = argc == 3 ? strtoul(argv[1], &end, 10) : 0;

	if (!end || end == argv[1] || *end || owner > UINT32_MAX)
		return false;
	policy->owner = (uint32_t)owner;
	policy->guarded = strcmp(argv[2], "guarded") == 0;
	return policy->guarded || strcmp(argv[2], "free") == 0;
}

int main(int argc, char **argv)
{
	static struct server server = {.client = -1};
	struct takeover_fault fault = {""};

	if (argc == 2 && strcmp(argv[1], "check") == 0) {
		if (rtmessage_open() == 0 && takeover_check(&fault) == 0)
			return 0;
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	if (!read_policy(&server.policy, argc, argv))
		die("usage: dkvm-network OWNER guarded|free", -EINVAL);
	/* nobody without CAP_SYS_PTRACE reads its memory, whatever uid it has */
	prctl(PR_SET_DUMPABLE, 0);
	server.watch = watch_open();
	int r = server.watch < 0 ? server.watch : rtmessage_open();
	if (r < 0)
		die("rtnetlink", r);
	for (;;) {
		struct pollfd polls[] = {{server.client < 0 ? STDIN_FILENO : server.client, POLLIN, 0},
					 {server.watch, POLLIN, 0}};

		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[1].revents)
			tell(server.watch);
		if (polls[0].revents && server.client < 0)
			await_client(&server);
		else if (polls[0].revents)
			receive(&server);
	}
}
