/* SPDX-License-Identifier: Apache-2.0 */
/* The session socket in a directory that others write to as well. */
#include "common/session_socket.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET "pod/monitor.sock"

static bool is_private_socket(void)
{
	struct stat st;

	return lstat(SOCKET, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0600;
}

static bool connects(void)
{
	int fd = session_socket_connect(SOCKET, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void one_that_is_left_makes_room(void)
{
	int first = session_socket_listen(SOCKET);

	CHECK(first >= 0 && is_private_socket() && connects());
	close(first);
	CHECK(!connects());
	int second = session_socket_listen(SOCKET);
	CHECK(second >= 0 && is_private_socket() && connects());
	close(second);
	CHECK(unlink(SOCKET) == 0);
}

static void nothing_else_is_taken_away(void)
{
	int file = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(file >= 0 && close(file) == 0);
	CHECK(symlink("../file", SOCKET) == 0 && session_socket_listen(SOCKET) == -EEXIST);
	CHECK(access("file", F_OK) == 0 && unlink(SOCKET) == 0);
	CHECK(symlink("../nothing", SOCKET) == 0 && session_socket_listen(SOCKET) == -EEXIST);
	CHECK(access("nothing", F_OK) < 0 && unlink(SOCKET) == 0);
	CHECK(rename("file", SOCKET) == 0 && session_socket_listen(SOCKET) == -EEXIST);
	CHECK(unlink(SOCKET) == 0 && mkdir(SOCKET, 0700) == 0 && session_socket_listen(SOCKET) == -EEXIST);
	CHECK(rmdir(SOCKET) == 0);
}

static void a_name_is_not_too_long(void)
{
	char name[200];

	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	CHECK(session_socket_listen(name) == -ENAMETOOLONG && session_socket_connect(name, 0) == -ENAMETOOLONG);
}

int main(void)
{
	char directory[] = "/tmp/dkvm-test-XXXXXX";

	if (!mkdtemp(directory) || chdir(directory) < 0)
		return 1;
	test("a socket that is left makes room", one_that_is_left_makes_room);
	test("nothing else is taken away", nothing_else_is_taken_away);
	test("a name is not too long", a_name_is_not_too_long);
	rmdir("pod");
	if (chdir("/") < 0)
		return 1;
	return rmdir(directory) < 0 || tests_end();
}
