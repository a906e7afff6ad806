/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-events with real files, and this test in the place of monitor and agent. */
#include "check.h"
#include "wire.h"

#include "common/frame.h"
#include "sandbox/events/watches.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER = 14, MANY = 2000 };

static char program[512], directory[64], monitor_path[80], message_file[80];
static int monitor = -1;
static pid_t pid;

static const uint8_t *event, *events_end; /* in the frame */

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void make_file(const char *name)
{
	close(open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0)
		exit(2);
	return fd;
}

/* The error of its answer, which is the next frame but for events. */
static uint32_t answer_to(uint32_t number)
{
	while (next_frame())
		if (frame.type == FRAME_FILE_WATCHED && frame.stream == number && frame.length == 4)
			return get_u32(frame.payload);
	return UINT32_MAX;
}

static uint32_t watch(uint32_t number, const char *path)
{
	say(FRAME_FILE_WATCH, number, path, (uint32_t)strlen(path));
	return answer_to(number);
}

/* The next event, of whatever frame; false: there is none. */
static bool next_event(void)
{
	if (event && event < events_end) {
		event += HEADER + get_u16(event + 12);
		if (event < events_end)
			return true;
	}
	do {
		if (!next_frame())
			return false;
	} while (frame.type != FRAME_FILE_EVENTS || frame.length == 0);
	event = frame.payload;
	events_end = frame.payload + frame.length;
	return frame.stream == 0;
}

static bool is_event(uint32_t mask, uint32_t number, const char *name)
{
	bool same = get_u32(event) == mask && get_u32(event + 4) == number && get_u16(event + 12) == strlen(name) &&
		    memcmp(event + HEADER, name, strlen(name)) == 0;

	if (!same)
		printf("# event 0x%x of %u, \"%.*s\"\n", get_u32(event), get_u32(event + 4), get_u16(event + 12),
		       (const char *)event + HEADER);
	return same;
}

static bool comes(uint32_t mask, uint32_t number, const char *name)
{
	return next_event() && is_event(mask, number, name);
}

static void start_program(void)
{
	event = NULL;
	pid = fork();
	if (pid == 0) {
		dup2(open(message_file, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(program, "dkvm-events", monitor_path, directory, NULL);
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
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void changes_are_told(void)
{
	CHECK("a directory of a slot is watched", watch(3, "/1") == 0);
	make_file("1/new");
	CHECK("a new file is told", comes(IN_CREATE, 3, "new"));
	CHECK("that it was open for writing as well", comes(IN_CLOSE_WRITE, 3, "new"));
	chmod(path_of("1/new"), 0600);
	CHECK("so is a change of its attributes", comes(IN_ATTRIB, 3, "new"));
	mkdir(path_of("1/sub"), 0755);
	CHECK("a new directory is one", comes(IN_CREATE | IN_ISDIR, 3, "sub"));
	CHECK("it can be watched in turn", watch(4, "/1/sub") == 0);
	char from[256];
	snprintf(from, sizeof from, "%s", path_of("1/new"));
	CHECK("a file moves", rename(from, path_of("1/sub/moved")) == 0);
	CHECK("from", comes(IN_MOVED_FROM, 3, "new"));
	uint32_t cookie = get_u32(event + 8);
	CHECK("to", comes(IN_MOVED_TO, 4, "moved") && cookie != 0 && get_u32(event + 8) == cookie);
	unlink(path_of("1/sub/moved"));
	CHECK("and is deleted", comes(IN_DELETE, 4, "moved"));
}

static void a_name_is_any_bytes(void)
{
	char name[256], in_slot[300];

	memset(name, '\xfe', 255);
	name[0] = '\n';
	name[255] = '\0';
	snprintf(in_slot, sizeof in_slot, "1/%s", name);
	make_file(in_slot);
	CHECK("255 bytes of any kind are a name", comes(IN_CREATE, 3, name) && comes(IN_CLOSE_WRITE, 3, name));
	unlink(path_of(in_slot));
	CHECK("which is told each time", comes(IN_DELETE, 3, name));
}

static void one_inode_is_told_to_all(void)
{
	CHECK("the same directory by another number", watch(9, "/1/") == 0);
	make_file("1/x");
	uint32_t first = next_event() ? get_u32(event + 4) : 0, second = next_event() ? get_u32(event + 4) : 0;
	CHECK("both are told", (first == 3 && second == 9) || (first == 9 && second == 3));
	say(FRAME_FILE_UNWATCH, 3, NULL, 0);
	CHECK("a watch ends", answer_to(3) == 0);
	event = NULL;
	unlink(path_of("1/x"));
	/* what was on its way comes first */
	bool other = false;
	while (next_event() && get_u32(event) != IN_DELETE)
		;
	other = is_event(IN_DELETE, 9, "x");
	CHECK("the other goes on", other);
	CHECK("the number is free", watch(3, "/f2") == 0);
	close(open(path_of("f2"), O_WRONLY | O_CLOEXEC));
	event = NULL;
	CHECK("a single file is watched as well", comes(IN_CLOSE_WRITE, 3, ""));
}

static void what_can_not_be_watched_is_answered(void)
{
	CHECK("what is missing", watch(20, "/1/missing") == ENOENT);
	CHECK("the image's root", watch(20, "/root") == EINVAL);
	CHECK("what is outside", watch(20, "/1/../..") != 0);
	CHECK("a link", watch(20, "/1/out/passwd") == ELOOP);
	say(FRAME_FILE_UNWATCH, 20, NULL, 0);
	CHECK("the end of what never began", answer_to(20) == 0);
}

static void many_events_are_told_all(void)
{
	char name[64];
	int created = 0;
	bool overflow = false;

	event = NULL;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "1/sub/many-%d", i);
		make_file(name);
	}
	while (created < MANY && !overflow && next_event()) {
		created += get_u32(event) == IN_CREATE && get_u32(event + 4) == 4;
		overflow = get_u32(event) & IN_Q_OVERFLOW;
	}
	CHECK("many files are told, or that something was missed", created == MANY || overflow);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "1/sub/many-%d", i);
		unlink(path_of(name));
	}
}

/* Each event goes to all numbers of a directory: one look at the host finds more than the channel has room for. */
static void what_does_not_fit_is_told_as_missed(void)
{
	enum { NUMBERS = 200, FILES = 150 };
	char name[64];
	bool refused = false, overflow = false;
	int after = 0;

	for (uint32_t number = 100; number < 100 + NUMBERS; number++)
		refused = refused || watch(number, "/1/sub") != 0;
	CHECK("a directory is watched by many numbers", !refused);
	kill(pid, SIGSTOP);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "1/sub/many-%d", i);
		make_file(name);
	}
	kill(pid, SIGCONT);
	event = NULL;
	while (!overflow && next_event())
		overflow = get_u32(event) == IN_Q_OVERFLOW && get_u32(event + 4) == 0;
	CHECK("that something was missed is told", overflow);
	snprintf(name, sizeof name, "%s", "1/sub/after");
	make_file(name);
	while (after < NUMBERS && next_event())
		after += get_u32(event) == IN_CREATE && get_u16(event + 12) == 5 &&
			 memcmp(event + HEADER, "after", 5) == 0;
	CHECK("and what comes after is heard by all", after == NUMBERS);
	unlink(path_of(name));
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "1/sub/many-%d", i);
		unlink(path_of(name));
	}
}

static const struct {
	const char *what;
	uint8_t type;
	uint32_t stream, size;
	const char *payload;
} breaches[] = {
	{"number 0", FRAME_FILE_WATCH, 0, 2, "/1"},
	{"a number beyond the last", FRAME_FILE_WATCH, WATCHES_MAX + 1, 2, "/1"},
	{"a number that is taken", FRAME_FILE_WATCH, 1, 2, "/1"},
	{"a path with a NUL in it", FRAME_FILE_WATCH, 2, 4, "/1\0x"},
	{"an UNWATCH with something", FRAME_FILE_UNWATCH, 1, 1, "x"},
	{"what it says itself", FRAME_FILE_EVENTS, 0, 0, ""},
	{"an answer", FRAME_FILE_WATCHED, 1, 4, "\0\0\0\0"},
	{"a frame of sessions", FRAME_STDIN, 1, 1, "x"},
};

static void ends_at_a_breach(void)
{
	static char longest[4096];

	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
		start_program();
		watch(1, "/1");
		say(breaches[i].type, breaches[i].stream, breaches[i].payload, breaches[i].size);
		while (next_frame())
			;
		CHECK(breaches[i].what, end_program() == 1);
	}
	memset(longest, '/', sizeof longest);
	start_program();
	say(FRAME_FILE_WATCH, 1, longest, sizeof longest);
	while (next_frame())
		;
	CHECK("a path beyond the longest", end_program() == 1);
}

static void clean_up(void)
{
	static const char *const left[] = {"1/sub", "1/out", "1", "f2", "root"};

	for (size_t i = 0; i < sizeof left / sizeof *left; i++)
		remove(path_of(left[i]));
	unlink(monitor_path);
	unlink(message_file);
	rmdir(directory);
}

int main(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);

	strcpy(directory, "/tmp/dkvm-test-XXXXXX");
	if (n < 0 || !mkdtemp(directory))
		return 2;
	strcpy(strrchr(program, '/') + 1, "dkvm-events");
	snprintf(monitor_path, sizeof monitor_path, "%s/monitor", directory);
	snprintf(message_file, sizeof message_file, "%s/messages", directory);
	monitor = listen_at(monitor_path);
	if (mkdir(path_of("1"), 0755) < 0 || mkdir(path_of("root"), 0755) < 0 || symlink("/etc", path_of("1/out")) < 0)
		return 2;
	make_file("f2");
	alarm(120);
	start_program();
	changes_are_told();
	a_name_is_any_bytes();
	one_inode_is_told_to_all();
	what_can_not_be_watched_is_answered();
	many_events_are_told_all();
	what_does_not_fit_is_told_as_missed();
	CHECK("without the monitor it ends", end_program() == 0);
	ends_at_a_breach();
	clean_up();
	return check_end();
}
