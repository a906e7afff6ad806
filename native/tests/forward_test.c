/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-keep's part of forwarded connections, in a network namespace of this test's own, and dkvm-forward, with this test in the place of monitor and agent; needs root. */
#include "check.h"
#include "wire.h"

#include "common/tunnel.h"
#include "host/keep/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWN_PORT = 7777, FIRST = TUNNELS_MAX + 1, REFUSED = -1 };

static char program[512], namespace[64];
static int home = -1, there = -1;
static pid_t holder, pid;

/* Out of the way of what is handed down. */
static int open_above(const char *path)
{
	int fd = open(path, O_RDONLY), moved = fcntl(fd, F_DUPFD_CLOEXEC, 20);

	close(fd);
	return moved;
}

/* A namespace with a loopback, and one more address on it. */
static void make_namespace(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		exit(2);
	holder = fork();
	if (holder == 0) {
		struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
		struct ifreq more = {.ifr_name = "lo:1"};
		struct sockaddr_in *address = (struct sockaddr_in *)(void *)&more.ifr_addr;
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		address->sin_family = AF_INET;
		inet_pton(AF_INET, "10.9.8.7", &address->sin_addr);
		if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0 || ioctl(fd, SIOCSIFADDR, &more) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		exit(2);
	close(ready[0]);
	snprintf(namespace, sizeof namespace, "/proc/%d/ns/net", holder);
	home = open_above("/proc/self/ns/net");
	there = open_above(namespace);
}

static int socket_there(int family, int type)
{
	if (setns(there, CLONE_NEWNET) < 0)
		exit(2);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (setns(home, CLONE_NEWNET) < 0)
		exit(2);
	return fd;
}

/* A client in the namespace; its socket, or REFUSED. */
static int client(const char *to, uint16_t port)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is_four = inet_pton(AF_INET, to, &four.sin_addr) == 1;
	int fd = socket_there(is_four ? AF_INET : AF_INET6, SOCK_STREAM);

	if (!is_four)
		inet_pton(AF_INET6, to, &six.sin6_addr);
	if (connect(fd, is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six,
		    is_four ? sizeof four : sizeof six) == 0)
		return fd;
	close(fd);
	return REFUSED;
}

static void close_handed(void)
{
	for (int i = 0; i < FORWARD_HANDED; i++)
		close(FORWARD_FIRST + i);
}

/* false: the kernel has not let us. */
static bool start_program(void)
{
	int ends[2];
	struct failure failure = {""};

	/* something that a caller has left there */
	dup2(home, FORWARD_FIRST);
	if (forward_open(namespace, OWN_PORT, &failure) < 0) {
		printf("# %s\n", failure.text);
		return false;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		exit(2);
	pid = fork();
	if (pid == 0) {
		int monitor = fcntl(ends[1], F_DUPFD, 30);
		fcntl(monitor, F_SETFL, O_NONBLOCK);
		for (int i = FORWARD_HANDED; i > 0; i--)
			dup2(FORWARD_FIRST + i - 1, FORWARD_FIRST + i);
		dup2(monitor, 3);
		/* as runc hands them down */
		fcntl(4, F_SETFL, 0);
		fcntl(5, F_SETFL, 0);
		close(monitor);
		execl(program, "dkvm-forward", NULL);
		_exit(124);
	}
	close_handed();
	close(ends[1]);
	channel = fcntl(ends[0], F_DUPFD_CLOEXEC, 20);
	close(ends[0]);
	return true;
}

/* Returns its exit code. */
static int end_program(void)
{
	int status = -1;

	wire_end();
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool comes(uint8_t type, uint32_t stream)
{
	bool found = next_frame() && frame.type == type && frame.stream == stream;

	if (!found)
		printf("# frame 0x%02x on %u came\n", frame.type, frame.stream);
	return found;
}

/* FORWARD_OPEN of a connection to that address. */
static bool opens(uint32_t stream, const char *to, uint16_t port)
{
	uint8_t expected[FORWARD_SIZE] = {0};
	const uint16_t network_order = htons(port);

	expected[0] = inet_pton(AF_INET, to, expected + FORWARD_ADDRESS) == 1 ? FORWARD_IPV4 : FORWARD_IPV6;
	if (expected[0] == FORWARD_IPV6)
		inet_pton(AF_INET6, to, expected + FORWARD_ADDRESS);
	memcpy(expected + FORWARD_PORT, &network_order, sizeof network_order);
	return comes(FRAME_FORWARD_OPEN, stream) && frame.length == FORWARD_SIZE &&
	       memcmp(frame.payload, expected, FORWARD_SIZE) == 0;
}

static void say_u32(uint8_t type, uint32_t stream, uint32_t value)
{
	uint8_t payload[4];

	put_u32(payload, value);
	say(type, stream, payload, sizeof payload);
}

static bool is_reset(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET;
}

static void takes_what_is_for_localhost(void)
{
	static const char *const addresses[] = {"127.0.0.1", "127.1.2.3", "::1", "10.9.8.7"};
	char byte;

	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		int fd = client(addresses[i], 80);
		CHECK(addresses[i], opens(FIRST, addresses[i], 80));
		close(fd);
		bool ended = comes(FRAME_SOCKET_DATA, FIRST) && frame.length == 0;
		say(FRAME_SOCKET_DATA, FIRST, NULL, 0);
		CHECK("it ends", ended && comes(FRAME_SOCKET_CLOSE, FIRST) && get_u32(frame.payload) == 0);
		say_u32(FRAME_SOCKET_CLOSE, FIRST, 0);
	}
	CHECK("the sandbox's own port is left alone", client("127.0.0.1", OWN_PORT) == REFUSED);
	CHECK("so is the engine's DNS, which the monitor asks for the guest", client("127.0.0.11", 53) == REFUSED);
	CHECK("and port 0", client("127.0.0.1", 0) == REFUSED);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int datagrams = socket_there(AF_INET, SOCK_DGRAM);
	bool refused = connect(datagrams, (struct sockaddr *)&to, sizeof to) == 0 && send(datagrams, "x", 1, 0) == 1 &&
		       recv(datagrams, &byte, 1, 0) < 0 && errno == ECONNREFUSED;
	CHECK("UDP is left alone", refused && is_silent());
	close(datagrams);
}

static void relays_both_ways_and_the_ends(void)
{
	char text[16] = "";
	int fd = client("127.0.0.1", 8080);

	CHECK("a connection is opened", opens(FIRST, "127.0.0.1", 8080));
	send(fd, "question", 8, 0);
	CHECK("what the client says comes", comes(FRAME_SOCKET_DATA, FIRST) && frame.length == 8);
	shutdown(fd, SHUT_WR);
	CHECK("so does the end of it", comes(FRAME_SOCKET_DATA, FIRST) && frame.length == 0);
	say(FRAME_SOCKET_DATA, FIRST, "answer", 6);
	CHECK("and the answer after it", recv(fd, text, sizeof text, 0) == 6 && memcmp(text, "answer", 6) == 0);
	say(FRAME_SOCKET_DATA, FIRST, NULL, 0);
	CHECK("and the answer's end", recv(fd, text, sizeof text, 0) == 0);
	CHECK("both ends are the connection's", comes(FRAME_SOCKET_CLOSE, FIRST) && get_u32(frame.payload) == 0);
	say_u32(FRAME_SOCKET_CLOSE, FIRST, 0);
	close(fd);
}

static void tells_resets(void)
{
	const struct linger at_once = {.l_onoff = 1};
	int fd = client("127.0.0.1", 81);

	opens(FIRST, "127.0.0.1", 81);
	say_u32(FRAME_SOCKET_CLOSE, FIRST, ECONNREFUSED);
	CHECK("what the guest refuses is reset", is_reset(fd) && comes(FRAME_SOCKET_CLOSE, FIRST));
	close(fd);
	fd = client("127.0.0.1", 82);
	opens(FIRST, "127.0.0.1", 82);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
	CHECK("a client's reset is told", comes(FRAME_SOCKET_CLOSE, FIRST) && get_u32(frame.payload) == ECONNRESET);
	say_u32(FRAME_SOCKET_CLOSE, FIRST, 0);
}

static void holds_to_the_credit(void)
{
	static uint8_t much[4 * FRAME_CREDIT];
	size_t got = 0;
	int fd = client("127.0.0.1", 83);

	opens(FIRST, "127.0.0.1", 83);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 100 && send(fd, much, sizeof much, MSG_NOSIGNAL) > 0; i++)
		continue;
	while (got < FRAME_CREDIT && comes(FRAME_SOCKET_DATA, FIRST))
		got += frame.length;
	CHECK("a guest that takes nothing gets no more than the credit", got == FRAME_CREDIT && is_silent());
	say_u32(FRAME_SOCKET_CLOSE, FIRST, ECONNRESET);
	CHECK("and can end it", comes(FRAME_SOCKET_CLOSE, FIRST));
	close(fd);
}

static void bounds_connections(void)
{
	static int fds[FORWARDS_MAX + 1];
	bool all = true;

	for (uint32_t i = 0; i < FORWARDS_MAX; i++) {
		fds[i] = client("127.0.0.1", (uint16_t)(1000 + i));
		all = all && opens(FIRST + i, "127.0.0.1", (uint16_t)(1000 + i));
	}
	CHECK("so many connections at one time", all);
	fds[FORWARDS_MAX] = client("127.0.0.1", 999);
	CHECK("one more waits", fds[FORWARDS_MAX] != REFUSED && is_silent());
	say_u32(FRAME_SOCKET_CLOSE, FIRST + 7, ECONNRESET);
	CHECK("until another ends", comes(FRAME_SOCKET_CLOSE, FIRST + 7) && opens(FIRST + 7, "127.0.0.1", 999));
	for (uint32_t i = 0; i <= FORWARDS_MAX; i++)
		close(fds[i]);
	CHECK("without the monitor it ends", end_program() == 0);
	CHECK("and who connects is refused", client("127.0.0.1", 80) == REFUSED && client("::1", 80) == REFUSED);
}

/* What a hostile guest could send. */
static const struct {
	const char *what;
	uint8_t type;
	uint32_t stream, size;
	uint8_t payload[20];
} breaches[] = {
	{"bytes without a connection", FRAME_SOCKET_DATA, FIRST + 1, 1, {1}},
	{"a stream beyond the last", FRAME_SOCKET_DATA, TUNNELS_MAX + FORWARDS_MAX + 1, 1, {1}},
	{"a stream of sockets", FRAME_SOCKET_DATA, 1, 1, {1}},
	{"stream 0", FRAME_SOCKET_DATA, 0, 1, {1}},
	{"a connection of the guest's", FRAME_SOCKET_OPEN, FIRST + 1, 12, {0}},
	{"a connection from the host", FRAME_FORWARD_OPEN, FIRST + 1, 20, {FORWARD_IPV4, 0, 80}},
	{"credit beyond the most", FRAME_SOCKET_CREDIT, FIRST, 4, {1}},
	{"a CREDIT cut short", FRAME_SOCKET_CREDIT, FIRST, 3, {1}},
	{"a CLOSE cut short", FRAME_SOCKET_CLOSE, FIRST, 2, {0}},
	{"a frame of sessions", FRAME_STDIN, FIRST, 1, {0}},
};

static void ends_at_a_breach(void)
{
	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
		start_program();
		int fd = client("127.0.0.1", 80);
		opens(FIRST, "127.0.0.1", 80);
		say(breaches[i].type, breaches[i].stream, breaches[i].payload, breaches[i].size);
		while (next_frame())
			continue;
		CHECK(breaches[i].what, end_program() == 1);
		close(fd);
	}
}

static void keeps_to_other_namespaces(void)
{
	struct failure failure = {""};

	CHECK("the caller's own namespace is refused",
	      forward_open("/proc/self/ns/net", 0, &failure) < 0 && strstr(failure.text, "the host's own network"));
	CHECK("so is a path to nothing",
	      forward_open("/nowhere", 0, &failure) == -ENOENT && strstr(failure.text, "\"/nowhere\": "));
	CHECK("and to something else", forward_open("/dev/null", 0, &failure) < 0);
	setenv("LISTEN_FDS", "1", 1);
	CHECK("descriptors that the caller hands down are left alone",
	      forward_open(namespace, 0, &failure) == -EBUSY && fcntl(FORWARD_FIRST, F_GETFD) < 0);
	unsetenv("LISTEN_FDS");
	CHECK("nothing is left of what failed", client("127.0.0.1", 80) == REFUSED);
}

int main(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);

	if (n < 0)
		return 2;
	strcpy(strrchr(program, '/') + 1, "dkvm-forward");
	/* whatever started us, make's pipes among it */
	close_range(3, ~0U, 0);
	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	alarm(120);
	make_namespace();
	keeps_to_other_namespaces();
	if (!CHECK("the kernel leads connections to it", start_program()))
		return check_end();
	takes_what_is_for_localhost();
	relays_both_ways_and_the_ends();
	tells_resets();
	holds_to_the_credit();
	bounds_connections();
	ends_at_a_breach();
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	return check_end();
}
