/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarded connections as the agent has them, which runs in a process of its own here, with real servers; this test is monitor and dkvm-forward. */
#include "check.h"
#include "wire.h"

#include "common/channel.h"
#include "common/loop.h"
#include "common/tunnel.h"
#include "guest/sockets/guestsockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = TUNNELS_MAX + 1, BROKE = 1, HUNG_UP = 3 };

static pid_t agent;

static void attached(void)
{
	/* nothing was written before */
}

static void broken(int error)
{
	_exit(error == -EPROTO ? BROKE : 2);
}

static void closed(void)
{
	_exit(HUNG_UP);
}

static void run_agent(int port)
{
	static const struct channel_events events = {attached, guest_sockets_frame, guest_sockets_room, broken, closed};

	fcntl(port, F_SETFL, O_NONBLOCK);
	if (loop_open() < 0 || channel_open(port, &events) < 0)
		_exit(2);
	for (;;) {
		channel_flush();
		loop_wait(-1);
	}
}

static void start_agent(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		exit(2);
	agent = fork();
	if (agent == 0) {
		close(ends[0]);
		run_agent(ends[1]);
	}
	close(ends[1]);
	channel = ends[0];
}

/* Returns its exit code. */
static int end_agent(void)
{
	int status = -1;

	wire_end();
	waitpid(agent, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A server at a port that the kernel chooses. */
static int serve(const char *at, uint16_t *port)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	bool is_four = inet_pton(AF_INET, at, &four.sin_addr) == 1;
	struct sockaddr *address = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
	socklen_t size = is_four ? sizeof four : sizeof six;
	int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!is_four)
		inet_pton(AF_INET6, at, &six.sin6_addr);
	if (bind(fd, address, size) < 0 || listen(fd, 8) < 0 || getsockname(fd, address, &size) < 0)
		exit(2);
	*port = ntohs(is_four ? four.sin_port : six.sin6_port);
	return fd;
}

static void say_open(uint32_t stream, const char *to, uint16_t port)
{
	uint8_t payload[FORWARD_SIZE] = {0};
	const uint16_t network_order = htons(port);

	payload[0] = inet_pton(AF_INET, to, payload + FORWARD_ADDRESS) == 1 ? FORWARD_IPV4 : FORWARD_IPV6;
	if (payload[0] == FORWARD_IPV6)
		inet_pton(AF_INET6, to, payload + FORWARD_ADDRESS);
	memcpy(payload + FORWARD_PORT, &network_order, sizeof network_order);
	say(FRAME_FORWARD_OPEN, stream, payload, sizeof payload);
}

static void say_close(uint32_t stream, uint32_t why)
{
	uint8_t payload[4];

	put_u32(payload, why);
	say(FRAME_SOCKET_CLOSE, stream, payload, sizeof payload);
}

/* The end of a connection; its reason, -1: something else came. */
static int64_t closes(uint32_t stream)
{
	bool found = next_frame() && frame.type == FRAME_SOCKET_CLOSE && frame.stream == stream;

	return found ? (int64_t)get_u32(frame.payload) : -1;
}

static bool is_answered(int server, uint32_t stream)
{
	char text[8] = "";
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);

	say(FRAME_SOCKET_DATA, stream, "question", 8);
	bool asked = recv(fd, text, sizeof text, MSG_WAITALL) == 8 && memcmp(text, "question", 8) == 0;
	say(FRAME_SOCKET_DATA, stream, NULL, 0);
	bool ended = recv(fd, text, 1, 0) == 0;
	send(fd, "answer", 6, 0);
	close(fd);
	bool answered = next_frame() && frame.type == FRAME_SOCKET_DATA && frame.length == 6;
	bool end = next_frame() && frame.type == FRAME_SOCKET_DATA && frame.length == 0 && closes(stream) == 0;
	say_close(stream, 0);
	return asked && ended && answered && end;
}

static void connects_to_servers(void)
{
	uint16_t port;
	int server = serve("127.0.0.1", &port);

	say_open(FIRST, "127.0.0.1", port);
	CHECK("a server of IPv4, and both ends of what is said", is_answered(server, FIRST));
	say_open(FIRST, "::1", port);
	CHECK("localhost of the other family, where one refuses", is_answered(server, FIRST));
	say_open(FIRST, "127.0.0.2", port);
	CHECK("no other address of the loopback", closes(FIRST) == ECONNREFUSED);
	say_close(FIRST, 0);
	close(server);
	server = serve("::1", &port);
	say_open(FIRST + 255, "::1", port);
	CHECK("a server of IPv6", is_answered(server, FIRST + 255));
	say_open(FIRST, "127.0.0.1", port);
	CHECK("and the other way round", is_answered(server, FIRST));
	close(server);
	say_open(FIRST, "127.0.0.1", port);
	CHECK("nobody there is told", closes(FIRST) == ECONNREFUSED);
	say_close(FIRST, 0);
}

static void passes_resets_on(void)
{
	const struct linger at_once = {.l_onoff = 1};
	char byte;
	uint16_t port;
	int server = serve("127.0.0.1", &port);

	say_open(FIRST, "127.0.0.1", port);
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	say_close(FIRST, ECONNRESET);
	CHECK("a client's reset is one for the server",
	      recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET && closes(FIRST) >= 0);
	close(fd);
	say_open(FIRST, "127.0.0.1", port);
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
	CHECK("a server's reset is told", closes(FIRST) == ECONNRESET);
	say_close(FIRST, 0);
	close(server);
}

static void leads_nowhere_else(void)
{
	say_open(FIRST, "192.0.2.1", 80);
	CHECK("an address that is not the guest's", closes(FIRST) == EADDRNOTAVAIL);
	say_close(FIRST, 0);
	say_open(FIRST, "2001:db8::1", 80);
	CHECK("nor of IPv6", closes(FIRST) == EADDRNOTAVAIL);
	say_close(FIRST, 0);
	CHECK("without the monitor it ends", end_agent() == HUNG_UP);
}

static const struct {
	const char *what;
	uint32_t stream, size;
	uint8_t payload[FORWARD_SIZE];
} breaches[] = {
	{"a stream of the container's sockets", TUNNELS_MAX, FORWARD_SIZE, {FORWARD_IPV4, 0, 0, 80, 127, 0, 0, 1}},
	{"stream 0", 0, FORWARD_SIZE, {FORWARD_IPV4, 0, 0, 80, 127, 0, 0, 1}},
	{"a stream beyond the last", FIRST + FORWARDS_MAX, FORWARD_SIZE, {FORWARD_IPV4, 0, 0, 80, 127, 0, 0, 1}},
	{"a stream that is taken", FIRST, FORWARD_SIZE, {FORWARD_IPV4, 0, 0, 80, 127, 0, 0, 1}},
	{"an OPEN cut short", FIRST + 1, FORWARD_SIZE - 1, {FORWARD_IPV4, 0, 0, 80, 127, 0, 0, 1}},
};

/* A client on the host chooses the port, and a process of the sandbox tells it: the pod goes on. */
static void closes_what_is_no_address(void)
{
	static const uint8_t family[FORWARD_SIZE] = {5, 0, 0, 80, 127, 0, 0, 1};

	start_agent();
	say_open(FIRST, "127.0.0.1", 0);
	CHECK("port 0 is closed", closes(FIRST) == EINVAL);
	say(FRAME_FORWARD_OPEN, FIRST + 1, family, sizeof family);
	CHECK("another family, too", closes(FIRST + 1) == EINVAL);
	CHECK("and the agent goes on", end_agent() == HUNG_UP);
}

static void ends_at_a_breach(void)
{
	uint16_t port;
	int server = serve("127.0.0.1", &port);

	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
		start_agent();
		say_open(FIRST, "127.0.0.1", port);
		say(FRAME_FORWARD_OPEN, breaches[i].stream, breaches[i].payload, breaches[i].size);
		while (next_frame())
			continue;
		CHECK(breaches[i].what, end_agent() == BROKE);
	}
	close(server);
}

int main(void)
{
	alarm(120);
	start_agent();
	connects_to_servers();
	passes_resets_on();
	leads_nowhere_else();
	closes_what_is_no_address();
	ends_at_a_breach();
	return check_end();
}
