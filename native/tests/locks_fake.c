/* SPDX-License-Identifier: Apache-2.0 */
#include "locks_fake.h"

#include "common/lockframe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char program[512], directory[64], share[80], monitor_path[80], message_file[80];
static int monitor = -1;
pid_t locks_pid;

uint64_t last_id;

const char *in(const char *name)
{
	static char path[160];

	snprintf(path, sizeof path, "%s/share/1/%s", directory, name);
	return path;
}

uint64_t inode_of(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) == 0 ? st.st_ino : 0;
}

/* Somebody on the host. */
int open_file(const char *name)
{
	return open(in(name), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

bool is_free(const char *name)
{
	int fd = open_file(name);
	bool got = flock(fd, LOCK_EX | LOCK_NB) == 0;

	close(fd);
	return got;
}

void start_program(void)
{
	start_program_with(NULL);
}

void start_program_with(void (*first)(void))
{
	locks_pid = fork();
	if (locks_pid == 0) {
		const struct rlimit files = {FILES_MAX, FILES_MAX};
		dup2(open(message_file, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		setrlimit(RLIMIT_NOFILE, &files);
		if (first)
			first();
		execl(program, "dkvm-locks", monitor_path, share, NULL);
		_exit(124);
	}
	wire_accept(monitor);
}

/* Returns its exit code. */
int end_program(void)
{
	int status = -1;

	close(channel);
	waitpid(locks_pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

uint32_t write_wish(uint8_t *payload, uint64_t id, const struct wish *wish)
{
	size_t length = strlen(wish->path);

	memset(payload, 0, LOCK_FIXED);
	put_u64(payload + LOCK_AT_ID, id);
	put_u64(payload + LOCK_AT_OWNER, wish->owner);
	put_u64(payload + LOCK_AT_INODE, wish->inode);
	put_u64(payload + LOCK_AT_START, wish->from);
	put_u64(payload + LOCK_AT_END, wish->to);
	put_u32(payload + LOCK_AT_DEVICE, 40);
	payload[LOCK_AT_OPERATION] = (uint8_t)wish->operation;
	payload[LOCK_AT_KIND] = (uint8_t)wish->kind;
	payload[LOCK_AT_TYPE] = (uint8_t)wish->type;
	payload[LOCK_AT_FLAGS] = wish->flags;
	memcpy(payload + LOCK_FIXED, wish->path, length);
	return LOCK_FIXED + (uint32_t)length;
}

/* Returns the request's number. */
uint64_t ask(const struct wish *wish)
{
	uint8_t payload[LOCK_FIXED + LOCK_PATH_MAX];

	say(FRAME_LOCK, 0, payload, write_wish(payload, ++last_id, wish));
	return last_id;
}

/* The error of the answer to a request, -1 where another comes. */
int answer_to(uint64_t id)
{
	if (!next_frame() || frame.type != FRAME_LOCK_ANSWER || frame.length != LOCK_ANSWER ||
	    get_u64(frame.payload) != id)
		return -1;
	return (int)get_u32(frame.payload + 24);
}

struct wish flock_of(uint64_t owner, enum lock_type type, uint8_t flags)
{
	return (struct wish){LOCK_TAKE, LOCK_FLOCK, type, flags, owner, inode_of("file"), 0, WHOLE, "/1/file"};
}

struct wish range_of(uint64_t owner, enum lock_type type, uint64_t from, uint64_t to)
{
	return (struct wish){LOCK_TAKE, LOCK_POSIX, type, 0, owner, inode_of("file"), from, to, "/1/file"};
}

int take(struct wish wish)
{
	return answer_to(ask(&wish));
}

int give(struct wish wish, uint8_t flags)
{
	wish.operation = LOCK_GIVE;
	wish.type = LOCK_TYPE_NONE;
	wish.flags = flags;
	wish.path = "";
	return answer_to(ask(&wish));
}

void cancel(uint64_t id)
{
	const struct wish wish = {.operation = LOCK_CANCEL, .path = ""};
	uint8_t payload[LOCK_FIXED];

	say(FRAME_LOCK, 0, payload, write_wish(payload, id, &wish));
}

bool locks_set_up(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(directory, "/tmp/dkvm-test-XXXXXX");
	if (n < 0 || !mkdtemp(directory))
		return false;
	strcpy(strrchr(program, '/') + 1, "dkvm-locks");
	snprintf(monitor_path, sizeof monitor_path, "%s/monitor", directory);
	snprintf(share, sizeof share, "%s/share", directory);
	snprintf(message_file, sizeof message_file, "%s/messages", directory);
	memcpy(address.sun_path, monitor_path, strlen(monitor_path) + 1);
	monitor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(monitor, (struct sockaddr *)&address, sizeof address) < 0 || listen(monitor, 8) < 0 ||
	    mkdir(share, 0755) < 0 || mkdir(in(""), 0755) < 0 || mkdir(in("../2"), 0755) < 0 ||
	    mkdir(in("../root"), 0755) < 0)
		return false;
	close(open_file("file"));
	return true;
}

void locks_clear(void)
{
	unlink(in("file"));
	rmdir(in("dir"));
	unlink(in("../2/file"));
	rmdir(in("../2"));
	rmdir(in("../root"));
	rmdir(in(""));
	rmdir(share);
	unlink(monitor_path);
	unlink(message_file);
	rmdir(directory);
}
