/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-sockets with real sockets, and this test in the place of monitor and agent. */
#include "check.h"
#include "wire.h"

#include "common/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STREAM, PACKETS, DATAGRAMS, GONE, SOCKETS, MESSAGE = 150000 };

static const int types[SOCKETS] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM};

static char program[512], directory[64], monitor_path[80], message_file[80];
static int real[SOCKETS], monitor = -1;
static pid_t pid;

static struct sockaddr_un address_of(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", directory, name);
	return address;
}

static int listen_at(const char *name, int type)
{
	struct sockaddr_un address = address_of(name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    (type != SOCK_DGRAM && listen(fd, 8) < 0))
		exit(2);
	return fd;
}

static void say_u32(uint8_t type, uint32_t stream, uint32_t value)
{
	uint8_t payload[4];

	put_u32(payload, value);
	say(type, stream, payload, sizeof payload);
}

static void say_open(uint32_t stream, uint32_t number)
{
	uint8_t payload[12];

	put_u32(payload, number);
	put_u32(payload + 4, geteuid());
	put_u32(payload + 8, getegid());
	say(FRAME_SOCKET_OPEN, stream, payload, sizeof payload);
}

static bool comes(uint8_t type, uint32_t stream)
{
	bool found = next_frame() && frame.type == type && frame.stream == stream;

	if (!found)
		printf("# frame 0x%02x on %u came\n", frame.type, frame.stream);
	return found;
}

static void start_program(void)
{
	static const char *const names[SOCKETS] = {"0", "1", "2", "3"};

	for (int i = 0; i < SOCKETS; i++)
		real[i] = listen_at(names[i], types[i]);
	close(real[GONE]);
	struct sockaddr_un first = address_of("0");
	chmod(first.sun_path, 0640);
	pid = fork();
	if (pid == 0) {
		dup2(open(message_file, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(program, "dkvm-sockets", monitor_path, directory, "4", NULL);
		_exit(124);
	}
	wire_accept(monitor);
}

/* Returns its exit code. */
static int end_program(void)
{
	int status = -1;

	close(channel);
	waitpid(pid, &status, 0);
	for (int i = 0; i < GONE; i++)
		close(real[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void says_what_the_sockets_are_like(void)
{
	struct record record;
	bool as_made = comes(FRAME_SOCKETS, 0);
	const uint8_t *at = frame.payload;

	for (uint32_t i = 0; i < SOCKETS; i++) {
		long n = record_parse(at, frame.length - (size_t)(at - frame.payload), &record);
		if (n <= 0 || record.tag != RECORD_SOCKET || record.length != 20) {
			as_made = false;
			break;
		}
		as_made = as_made && get_u32(record.value) == i && record.value[4] == types[i] &&
			  record.value[5] == (i == GONE);
		as_made = as_made && (i > 0 || get_u32(record.value + 8) == 0640);
		at += n;
	}
	CHECK("types, modes and whether somebody is there are told", as_made);
	int asked = accept4(real[PACKETS], NULL, NULL, SOCK_CLOEXEC);
	CHECK("a socket of messages was tried", asked >= 0);
	close(asked);
	struct pollfd streams = {.fd = real[STREAM], .events = POLLIN};
	CHECK("one of streams notices nothing", poll(&streams, 1, 100) == 0);
}

static void relays_a_stream(void)
{
	char text[16] = "";

	say_open(1, STREAM);
	say(FRAME_SOCKET_DATA, 1, "question", 8);
	say(FRAME_SOCKET_DATA, 1, NULL, 0);
	int fd = accept4(real[STREAM], NULL, NULL, SOCK_CLOEXEC);
	ssize_t n = recv(fd, text, sizeof text, MSG_WAITALL);
	CHECK("bytes and their end arrive", n == 8 && memcmp(text, "question", 8) == 0);
	send(fd, "answer", 6, 0);
	CHECK("the answer comes after the end", comes(FRAME_SOCKET_DATA, 1) && frame.length == 6);
	close(fd);
	CHECK("so does its end", comes(FRAME_SOCKET_DATA, 1) && frame.length == 0);
	CHECK("and the connection's", comes(FRAME_SOCKET_CLOSE, 1) && get_u32(frame.payload) == 0);
	say_u32(FRAME_SOCKET_CLOSE, 1, 0);
	say_open(1, STREAM);
	fd = accept4(real[STREAM], NULL, NULL, SOCK_CLOEXEC);
	CHECK("the place is used again", fd >= 0);
	say(FRAME_SOCKET_DATA, 1, "last", 4);
	say_u32(FRAME_SOCKET_CLOSE, 1, 0);
	CHECK("what was sent before the end is not lost",
	      recv(fd, text, sizeof text, MSG_WAITALL) == 4 && comes(FRAME_SOCKET_CLOSE, 1));
	close(fd);
}

static void holds_to_the_credit(void)
{
	static uint8_t much[200000];
	size_t got = 0;

	say_open(2, STREAM);
	int fd = accept4(real[STREAM], NULL, NULL, SOCK_CLOEXEC);
	ssize_t sent = send(fd, much, sizeof much, MSG_DONTWAIT);
	while (got < FRAME_CREDIT && comes(FRAME_SOCKET_DATA, 2))
		got += frame.length;
	struct pollfd more = {.fd = channel, .events = POLLIN};
	CHECK("no more than the credit is sent", got == FRAME_CREDIT && poll(&more, 1, 200) == 0);
	say_u32(FRAME_SOCKET_CREDIT, 2, FRAME_CREDIT);
	for (size_t all = FRAME_CREDIT * 2; got < all && comes(FRAME_SOCKET_DATA, 2);)
		got += frame.length;
	CHECK("more credit, more bytes", sent > FRAME_CREDIT * 2 && got == FRAME_CREDIT * 2);
	say_u32(FRAME_SOCKET_CLOSE, 2, 0);
	CHECK("a guest's program that leaves is the end", comes(FRAME_SOCKET_CLOSE, 2));
	close(fd);
}

static void relays_messages(void)
{
	static uint8_t message[4 + MESSAGE], got[MESSAGE + 1];
	uint32_t credit = FRAME_CREDIT, sent = 0;

	for (size_t i = 0; i < MESSAGE; i++)
		message[4 + i] = (uint8_t)(i * 7);
	put_u32(message, MESSAGE);
	say_open(3, PACKETS);
	int fd = accept4(real[PACKETS], NULL, NULL, SOCK_CLOEXEC);
	while (sent < sizeof message) {
		uint32_t piece = (uint32_t)sizeof message - sent;
		piece = piece < credit ? piece : credit;
		piece = piece < FRAME_DATA_PAYLOAD ? piece : FRAME_DATA_PAYLOAD;
		if (piece == 0 && !comes(FRAME_SOCKET_CREDIT, 3))
			break;
		if (piece == 0)
			credit += get_u32(frame.payload);
		else
			say(FRAME_SOCKET_DATA, 3, message + sent, piece);
		sent += piece;
		credit -= piece;
	}
	ssize_t n = recv(fd, got, sizeof got, 0);
	CHECK("a message longer than the credit stays one", n == MESSAGE && memcmp(got, message + 4, MESSAGE) == 0);
	send(fd, "one", 3, 0);
	send(fd, "", 0, 0);
	static const uint8_t expected[] = {3, 0, 0, 0, 'o', 'n', 'e', 0, 0, 0, 0};
	uint8_t all[sizeof expected];
	size_t have = 0;
	while (have < sizeof all && next_frame()) {
		if (frame.type != FRAME_SOCKET_DATA)
			continue;
		memcpy(all + have, frame.payload, frame.length < sizeof all - have ? frame.length : sizeof all - have);
		have += frame.length;
	}
	CHECK("so do short and empty ones", have == sizeof all && memcmp(all, expected, have) == 0);
	close(fd);
	while (next_frame() && frame.type != FRAME_SOCKET_CLOSE)
		;
	say_u32(FRAME_SOCKET_CLOSE, 3, 0);
}

static void relays_datagrams(void)
{
	uint8_t message[12 + 4] = {4}, got[16];

	put_u32(message + 4, geteuid());
	put_u32(message + 8, getegid());
	memcpy(message + 12, "word", 4);
	say_open(4, DATAGRAMS);
	say(FRAME_SOCKET_DATA, 4, message, 9);
	say(FRAME_SOCKET_DATA, 4, message + 9, sizeof message - 9);
	CHECK("a datagram arrives", recv(real[DATAGRAMS], got, sizeof got, 0) == 4 && memcmp(got, "word", 4) == 0);
	close(real[DATAGRAMS]);
	say(FRAME_SOCKET_DATA, 4, message, sizeof message);
	CHECK("its server's end is told", comes(FRAME_SOCKET_GONE, 0) && get_u32(frame.payload) == DATAGRAMS);
	CHECK("and ends it", comes(FRAME_SOCKET_CLOSE, 4) && get_u32(frame.payload) == ECONNREFUSED);
	say_u32(FRAME_SOCKET_CLOSE, 4, 0);
}

static void tells_a_refusal(void)
{
	close(real[STREAM]);
	say_open(5, STREAM);
	CHECK("a server that has gone is told", comes(FRAME_SOCKET_GONE, 0) && get_u32(frame.payload) == STREAM);
	CHECK("and refused", comes(FRAME_SOCKET_CLOSE, 5) && get_u32(frame.payload) == ECONNREFUSED);
	CHECK("without the monitor it ends", end_program() == 0);
}

/* What a hostile guest could send. */
static const struct {
	const char *what;
	uint8_t type;
	uint32_t stream, size;
	uint8_t payload[12];
} breaches[] = {
	{"bytes without a connection", FRAME_SOCKET_DATA, 2, 1, {1}},
	{"a stream beyond the last", FRAME_SOCKET_OPEN, 257, 12, {0}},
	{"stream 0", FRAME_SOCKET_OPEN, 0, 12, {0}},
	{"a stream that is taken", FRAME_SOCKET_OPEN, 1, 12, {0}},
	{"a socket that is not there", FRAME_SOCKET_OPEN, 2, 12, {SOCKETS}},
	{"an OPEN cut short", FRAME_SOCKET_OPEN, 2, 11, {0}},
	{"credit beyond the most", FRAME_SOCKET_CREDIT, 1, 4, {1}},
	{"a CREDIT cut short", FRAME_SOCKET_CREDIT, 1, 3, {1}},
	{"a CLOSE cut short", FRAME_SOCKET_CLOSE, 1, 2, {0}},
	{"what it says itself", FRAME_SOCKET_GONE, 0, 4, {0}},
	{"a frame of sessions", FRAME_STDIN, 1, 1, {0}},
};

static void ends_at_a_breach(void)
{
	static uint8_t data[FRAME_CREDIT + 1];

	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
		start_program();
		next_frame();
		say_open(1, STREAM);
		say(breaches[i].type, breaches[i].stream, breaches[i].payload, breaches[i].size);
		while (next_frame())
			;
		CHECK(breaches[i].what, end_program() == 1);
	}
	start_program();
	next_frame();
	say_open(1, STREAM);
	say(FRAME_SOCKET_DATA, 1, data, sizeof data);
	while (next_frame())
		;
	CHECK("bytes beyond the credit", end_program() == 1);
}

static void a_message_without_measure_ends_its_connection(void)
{
	const uint8_t header[4] = {0, 0, 0, 0x7F};

	start_program();
	next_frame();
	say_open(1, PACKETS);
	say(FRAME_SOCKET_DATA, 1, header, sizeof header);
	CHECK("a message without measure ends its connection",
	      comes(FRAME_SOCKET_CLOSE, 1) && get_u32(frame.payload) == EPROTO);
	end_program();
}

int main(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);

	strcpy(directory, "/tmp/dkvm-test-XXXXXX");
	if (n < 0 || !mkdtemp(directory))
		return 2;
	strcpy(strrchr(program, '/') + 1, "dkvm-sockets");
	snprintf(monitor_path, sizeof monitor_path, "%s/monitor", directory);
	snprintf(message_file, sizeof message_file, "%s/messages", directory);
	monitor = listen_at("monitor", SOCK_STREAM);
	alarm(120);
	start_program();
	says_what_the_sockets_are_like();
	relays_a_stream();
	holds_to_the_credit();
	relays_messages();
	relays_datagrams();
	tells_a_refusal();
	ends_at_a_breach();
	a_message_without_measure_ends_its_connection();
	for (int i = 0; i < SOCKETS; i++) {
		char name[2] = {(char)('0' + i), 0};
		struct sockaddr_un address = address_of(name);
		unlink(address.sun_path);
	}
	unlink(monitor_path);
	unlink(message_file);
	rmdir(directory);
	return check_end();
}
