/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-web with real sockets, and this test in the places of browsers and of QEMU. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define UPGRADE(origin)                                                                                                \
	"GET /websockify HTTP/1.1\r\nHost: x:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                       \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nCookie: secret=1\r\n" origin      \
	"\r\n"
#define ASKED                                                                                                          \
	"GET / HTTP/1.1\r\nHost: screen\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"

enum { PATIENCE = 20000, LARGE = 3000000, CONNECTIONS = 64, SCREENS = 16, LOGGED_IN = 600 };

static char program[512], directory[64], messages[128], port_text[8];
static struct sockaddr_un screen_address;
static uint16_t port;
static int screen = -1;
static pid_t pid;
static char answer[LARGE + 4096];
static size_t answer_size;

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t size)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, text + done, size - done);

		if (n < 0)
			exit(2);
		done += (size_t)n;
	}
	close(fd);
}

/* A port that nobody has now. */
static uint16_t free_port(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		exit(2);
	close(fd);
	return ntohs(address.sin6_port);
}

static int reach(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static int browser(void)
{
	int fd = -1;

	for (int i = 0; i < PATIENCE && (fd = reach()) < 0; i++)
		usleep(1000);
	return fd;
}

static bool readable(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, PATIENCE) == 1;
}

static void say(int fd, const char *text)
{
	size_t size = strlen(text);

	if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
		printf("# not all was sent\n");
}

/* All that comes, to its end. */
static const char *hear(int fd)
{
	answer_size = 0;
	while (readable(fd)) {
		ssize_t n = read(fd, answer + answer_size, sizeof answer - 1 - answer_size);

		if (n <= 0)
			break;
		answer_size += (size_t)n;
	}
	answer[answer_size] = '\0';
	close(fd);
	return answer;
}

static const char *ask(const char *request)
{
	int fd = browser();

	say(fd, request);
	return hear(fd);
}

static bool is(const char *text, const char *first)
{
	bool good = strncmp(text, first, strlen(first)) == 0;

	if (!good)
		printf("# it is: %.60s\n", text);
	return good;
}

/* Whether it brings these bytes next. */
static bool brings(int fd, const char *text)
{
	char bytes[1024];
	size_t size = strlen(text), done = 0;

	while (done < size && readable(fd)) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done == size && memcmp(bytes, text, size) == 0;
}

static bool takes(int fd, size_t count)
{
	char byte;

	while (count > 0 && readable(fd) && read(fd, &byte, 1) == 1)
		count--;
	return count == 0;
}

static bool ends(int fd)
{
	char byte;
	bool end = readable(fd) && read(fd, &byte, 1) <= 0;

	close(fd);
	return end;
}

static int qemu_accepts(void)
{
	int fd = readable(screen) ? accept4(screen, NULL, NULL, SOCK_CLOEXEC) : -1;

	return fd;
}

static void listen_as_qemu(void)
{
	screen = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(screen_address.sun_path);
	if (bind(screen, (struct sockaddr *)&screen_address, sizeof screen_address) < 0 || listen(screen, 64) < 0)
		exit(2);
}

static void start_program(void)
{
	port = free_port();
	snprintf(port_text, sizeof port_text, "%u", port);
	pid = fork();
	if (pid == 0) {
		dup2(open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(program, "dkvm-web", port_text, screen_address.sun_path, path_of("pages"), NULL);
		_exit(124);
	}
}

static int run_and_fail(const char *given, const char *pages)
{
	int status = -1;
	pid_t other = fork();

	if (other == 0) {
		dup2(open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(program, "dkvm-web", given, screen_address.sun_path, pages, NULL);
		_exit(124);
	}
	waitpid(other, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void pages_are_served(void)
{
	ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK("the first page is there",
	      is(answer, "HTTP/1.1 200 OK\r\nContent-Type: text/html") && strstr(answer, "\r\n\r\n<p>screen</p>"));
	CHECK("the browser is told what the page may do",
	      strstr(answer, "script-src 'self' 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';") &&
		      strstr(answer, "frame-ancestors 'none'") && strstr(answer, "nosniff") &&
		      strstr(answer, "no-store"));
	CHECK("a page is there by its path",
	      is(ask("GET /core/rfb.js?x HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200") && answer_size > LARGE &&
		      answer[answer_size - 1] == 'j');
	CHECK("HEAD has no body", is(ask("HEAD /core/rfb.js HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200") &&
					  strstr(answer, "Content-Length: 3000000") &&
					  strcmp(answer + answer_size - 4, "\r\n\r\n") == 0);
}

static void what_is_no_page_is_not(void)
{
	static const char *const paths[] = {
		"/secret.js", "/../secret.js", "/core/../vnc.html", "/link.js",    "/.script",      "/core",
		"/core/",     "/README",       "//vnc.html",        "/%76nc.html", "/core/rfb.js/", "/vnc.html/.."};
	char request[256];

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		CHECK(paths[i], is(ask(request), "HTTP/1.1 404"));
	}
	CHECK("nothing is posted, and whose body comes is answered",
	      is(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"), "HTTP/1.1 405"));
	memset(answer, 'a', sizeof answer);
	memcpy(answer, "GET / HTTP/1.1\r\nX: ", 19);
	answer[20000] = '\0';
	CHECK("a request without an end is refused", is(ask(answer), "HTTP/1.1 431"));
}

static void a_websocket_goes_through(void)
{
	CHECK("no page of another place has it", is(ask(UPGRADE("Origin: http://evil\r\n")), "HTTP/1.1 403"));
	CHECK("it is no page", is(ask("GET /websockify HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 426"));
	int client = browser();
	say(client, UPGRADE("Origin: http://x:1\r\n") "early");
	int qemu = qemu_accepts();
	CHECK("QEMU is asked, and told nothing of the browser's but the key", brings(qemu, ASKED "early"));
	say(qemu, "HTTP/1.1 101\r\n\r\n");
	CHECK("its answer is passed on", brings(client, "HTTP/1.1 101\r\n\r\n"));
	say(client, "up");
	say(qemu, "down");
	CHECK("both ways are open", brings(qemu, "up") && brings(client, "down"));
	say(qemu, "last");
	close(qemu);
	CHECK("QEMU's end comes after its last words", brings(client, "last") && ends(client));
	client = browser();
	say(client, UPGRADE(""));
	qemu = qemu_accepts();
	CHECK("who is no browser has it, too", brings(qemu, ASKED));
	close(client);
	CHECK("a browser's end is QEMU's", ends(qemu));
}

/* Each side writes as much as it can: nothing of it is lost, and the rest waits. */
static void slow_sides_hold_each_other(void)
{
	int client = browser();
	say(client, UPGRADE(""));
	int qemu = qemu_accepts();
	size_t sent = 0, heard = 0;
	char block[4096];

	brings(qemu, ASKED);
	for (ssize_t n; (n = send(qemu, memset(block, 'x', sizeof block), sizeof block, MSG_DONTWAIT)) > 0 ||
			(errno == EAGAIN && sent < LARGE);) {
		if (n > 0) {
			sent += (size_t)n;
		} else if (heard < sent && readable(client)) {
			n = read(client, block, sizeof block);
			heard += n > 0 ? (size_t)n : 0;
		}
		if (sent >= LARGE)
			break;
	}
	close(qemu);
	for (ssize_t n; readable(client) && (n = read(client, block, sizeof block)) > 0;)
		heard += (size_t)n;
	close(client);
	CHECK("all comes that a slow browser is sent", sent >= LARGE && heard == sent);
}

static void connections_are_bounded(void)
{
	int idle[CONNECTIONS], screens[SCREENS + 1], qemus[SCREENS + 1];
	/* what a server's frames begin with: binary of 600 bytes, and a pong */
	static const char head[] = "HTTP/1.1 101\r\n\r\n", binary[] = "\x82\x7e\x02\x58", pong[] = "\x8a\x7d";
	char block[LOGGED_IN];

	for (int i = 0; i < CONNECTIONS; i++)
		idle[i] = browser();
	CHECK("one more takes the place of the oldest that says nothing",
	      is(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200") && ends(idle[0]));
	for (int i = 1; i < CONNECTIONS; i++)
		close(idle[i]);
	memset(block, 'x', sizeof block);
	for (int i = 0; i <= SCREENS; i++) {
		screens[i] = browser();
		say(screens[i], UPGRADE(""));
		qemus[i] = qemu_accepts();
		brings(qemus[i], ASKED);
		if (i == 0)
			CHECK("a screen comes up",
			      write(qemus[0], head, sizeof head - 1) > 0 &&
				      write(qemus[0], binary, sizeof binary - 1) > 0 &&
				      write(qemus[0], block, sizeof block) == sizeof block &&
				      takes(screens[0], sizeof head + sizeof binary - 2 + sizeof block));
		if (i != 1)
			continue;
		write(qemus[1], head, sizeof head - 1);
		for (int j = 0; j < 10; j++)
			CHECK("a pong is passed on",
			      write(qemus[1], pong, sizeof pong - 1) > 0 && write(qemus[1], block, 125) == 125);
		takes(screens[1], sizeof head - 1 + 10 * 127);
	}
	CHECK("a screen too many takes the place of the oldest that nobody has logged in to", ends(screens[1]));
	say(screens[0], "still");
	CHECK("who has logged in stays", brings(qemus[0], "still"));
	for (int i = 0; i <= SCREENS; i++) {
		close(qemus[i]);
		if (i != 1)
			close(screens[i]);
	}
}

static void nobody_listens_for_it(void)
{
	close(screen);
	CHECK("without QEMU it says so", is(ask(UPGRADE("")), "HTTP/1.1 503"));
	listen_as_qemu();
	int client = browser();
	say(client, UPGRADE(""));
	int qemu = qemu_accepts();
	CHECK("and finds it when it is there", brings(qemu, ASKED));
	close(qemu);
	close(client);
}

static void what_is_wrong_is_said(void)
{
	char text[256] = "";

	CHECK("a port that another has is an error", run_and_fail(port_text, path_of("pages")) == 1);
	int fd = open(messages, O_RDONLY | O_CLOEXEC);
	CHECK("which says it", read(fd, text, sizeof text - 1) > 0 && strstr(text, "can not listen at TCP port") &&
				       strstr(text, port_text) && strstr(text, "in use"));
	close(fd);
	CHECK("so are pages that are missing", run_and_fail("1", path_of("none")) == 1);
	CHECK("and a port that is none",
	      run_and_fail("70000", path_of("pages")) == 2 && run_and_fail("60x", path_of("pages")) == 2);
}

static void make_pages(void)
{
	static char large[LARGE];

	memset(large, 'j', sizeof large);
	if (mkdir(path_of("pages"), 0755) < 0 || mkdir(path_of("pages/core"), 0755) < 0)
		exit(2);
	write_file("secret.js", "secret", 6);
	if (symlink("../secret.js", path_of("pages/link.js")) < 0)
		exit(2);
	write_file("pages/vnc.html", "<p>screen</p>", 13);
	write_file("pages/core/rfb.js", large, sizeof large);
	write_file("pages/README", "text", 4);
	write_file("pages/.script", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 45);
}

static void clean_up(void)
{
	static const char *const files[] = {"pages/link.js", "secret.js",     "pages/vnc.html", "pages/core/rfb.js",
					    "pages/README",  "pages/.script", "screen",         "messages"};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(path_of(files[i]));
	rmdir(path_of("pages/core"));
	rmdir(path_of("pages"));
	rmdir(directory);
}

int main(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
	int status = -1;

	strcpy(directory, "/tmp/dkvm-test-XXXXXX");
	if (n < 0 || !mkdtemp(directory))
		return 2;
	strcpy(strrchr(program, '/') + 1, "dkvm-web");
	screen_address.sun_family = AF_UNIX;
	snprintf(screen_address.sun_path, sizeof screen_address.sun_path, "%s/screen", directory);
	snprintf(messages, sizeof messages, "%s/messages", directory);
	signal(SIGPIPE, SIG_IGN);
	make_pages();
	listen_as_qemu();
	alarm(120);
	start_program();
	pages_are_served();
	what_is_no_page_is_not();
	a_websocket_goes_through();
	slow_sides_hold_each_other();
	connections_are_bounded();
	nobody_listens_for_it();
	what_is_wrong_is_said();
	CHECK("nothing of it has ended the server", waitpid(pid, &status, WNOHANG) == 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	clean_up();
	return check_end();
}
