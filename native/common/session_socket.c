/* SPDX-License-Identifier: Apache-2.0 */
#include "common/session_socket.h"

#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BACKLOG = 128,
	FIRST_PAUSE = 1,    /* ms between attempts to connect */
	LONGEST_PAUSE = 50, /* ms */
};

static int set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address->sun_path)
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

/* Only its last directory: the others are the sandbox's. */
static int make_directory(const char *path)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return 0;
	memcpy(directory, path, (size_t)(slash - path));
	directory[slash - path] = '\0';
	return mkdir(directory, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* A socket that another monitor left there; what else has the name stays, and keeps us from listening. */
static int remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int listen_at(int fd, const struct sockaddr_un *address)
{
	int stale = remove_stale(address->sun_path);

	if (stale < 0)
		return stale;
	mode_t before = umask(0177);
	int error = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;

	umask(before);
	if (error < 0)
		return error;
	return listen(fd, BACKLOG) < 0 ? -errno : 0;
}

int session_socket_listen(const char *path)
{
	struct sockaddr_un address;
	int error = set_address(&address, path);

	if (error == 0)
		error = make_directory(path);
	if (error < 0)
		return error;
	/* Blocking: the monitor's System.inheritedChannel() takes it for that. */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = listen_at(fd, &address);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static int try_connect(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
		return fd;
	int error = -errno;

	close(fd);
	return error;
}

/* Not made yet, nobody listens yet, or the queue is full: all of it passes. */
static bool worth_waiting(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED || error == -EAGAIN || error == -EINTR;
}

int session_socket_connect(const char *path, int patience)
{
	struct sockaddr_un address;
	int fd = set_address(&address, path);
	int64_t deadline = now_millis() + patience;
	int pause = FIRST_PAUSE;

	if (fd < 0)
		return fd;
	while ((fd = try_connect(&address)) < 0 && worth_waiting(fd) && now_millis() < deadline) {
		poll(NULL, 0, pause);
		pause = pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
	}
	return fd;
}
