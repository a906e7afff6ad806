/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-rooted as create asks it: files that an image chose, and what it made of their names. */
#include "common/frame.h"

#include "check.h"
#include "programs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 20 /* s */ };

static char directory[] = "/tmp/rooted-XXXXXX";
static int link_to = -1;
static uint32_t answered; /* bytes */

static const char *in_directory(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static bool make_file(const char *name, const char *content)
{
	int fd = open(in_directory(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool good = write(fd, content, strlen(content)) == (ssize_t)strlen(content);

	close(fd);
	return good;
}

static pid_t start(void)
{
	char program[600];
	int pair[2];

	snprintf(program, sizeof program, "%s/dkvm-rooted", programs_build);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		exit(2);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		execl(program, program, "answer", (char *)NULL);
		_exit(124);
	}
	close(pair[1]);
	link_to = pair[0];
	return pid;
}

static void ask(uint32_t most, const char *root, const char *path)
{
	uint8_t question[8 + 2 * PATH_MAX];
	size_t root_size = strlen(root), path_size = strlen(path), size = 8 + root_size + path_size;

	put_u32(question, most);
	put_u16(question + 4, (uint16_t)root_size);
	put_u16(question + 6, (uint16_t)path_size);
	memcpy(question + 8, root, root_size);
	memcpy(question + 8 + root_size, path, path_size);
	if (write(link_to, question, size) != (ssize_t)size)
		exit(2);
}

/* The answer as text; "none" where there is no such file. */
static const char *answer(void)
{
	static char text[256];
	uint8_t length[4];

	if (recv(link_to, length, sizeof length, MSG_WAITALL) != sizeof length)
		return "ended";
	uint32_t size = get_u32(length);
	answered = size;

	if (size == UINT32_MAX)
		return "none";
	if (size >= sizeof text || (size > 0 && recv(link_to, text, size, MSG_WAITALL) != (ssize_t)size))
		return "cut";
	text[size] = '\0';
	return text;
}

static bool is(const char *path, const char *expected)
{
	char root[PATH_MAX];

	snprintf(root, sizeof root, "%s", in_directory("root"));
	ask(64, root, path);
	return strcmp(answer(), expected) == 0;
}

enum { LOOK_SIZE = 12 };

static const uint32_t LOOK = UINT32_MAX, EMPTY = UINT32_MAX - 1;

/* What is said of a name: its kind, and a link's text. */
static const char *looks_like(const char *root, const char *path)
{
	static char said[300];

	ask(LOOK, in_directory(root), path);
	const char *text = answer();
	if (strcmp(text, "none") == 0)
		return "none";
	if (answered == 0)
		return "missing";
	mode_t mode = get_u32((const uint8_t *)text);
	snprintf(said, sizeof said, "%s%s%s",
		 S_ISDIR(mode)    ? "directory"
		 : S_ISREG(mode)  ? "file"
		 : S_ISLNK(mode)  ? "link "
		 : S_ISFIFO(mode) ? "fifo"
				  : "other",
		 text + LOOK_SIZE, mode & 0111 && S_ISREG(mode) ? " executable" : "");
	return said;
}

static bool is_empty(const char *root, const char *path)
{
	ask(EMPTY, in_directory(root), path);
	const char *text = answer();
	return answered == 1 && text[0] == 1;
}

static void looks(void)
{
	char outside[PATH_MAX];

	snprintf(outside, sizeof outside, "link %s/outside", directory);
	CHECK("a file is one", strcmp(looks_like("root", "/os-release"), "file") == 0);
	CHECK("a link is told and not followed", strcmp(looks_like("root", "/link"), "link /os-release") == 0);
	CHECK("… wherever it leads", strcmp(looks_like("root", "/absolute"), outside) == 0);
	CHECK("what is behind a link is not looked at", strcmp(looks_like("root", "/up/outside"), "none") == 0);
	CHECK(".. stays in the root", strcmp(looks_like("root", "/../outside"), "missing") == 0);
	CHECK("a FIFO is not opened", strcmp(looks_like("root", "/fifo"), "fifo") == 0);
	CHECK("what is not there is missing", strcmp(looks_like("root", "/nothing/x"), "missing") == 0);
	CHECK("nor is a name below a file there", strcmp(looks_like("root", "/os-release/x"), "none") == 0);
	CHECK("a root is looked at by the engine's word",
	      strcmp(looks_like("root/link-to-root", ""), "directory") == 0);
	CHECK("an empty directory is one", is_empty("root", "/empty"));
	CHECK("a root with entries is not", !is_empty("root", ""));
	CHECK("nor is a file, a FIFO, a link, or nothing",
	      !is_empty("root", "/os-release") && !is_empty("root", "/fifo") && !is_empty("root", "/to-empty") &&
		      !is_empty("root", "/nothing"));
}

/* A shell in the place of the JVM: its question is answered on the numbers that it is told. */
static void answers_beside_another(void)
{
	char program[600], script[PATH_MAX + 200], told[64] = {0};
	int out[2], status;

	snprintf(program, sizeof program, "%s/dkvm-rooted", programs_build);
	/* 64 bytes of "/os-release" below a root, whose length is in octal digits */
	snprintf(script, sizeof script,
		 "fds=${0#*=}; printf '\\100\\0\\0\\0\\%o\\0\\013\\0%s/os-release' >/proc/self/fd/${fds#*,}; "
		 "head -c 13 </proc/self/fd/${fds%%,*} | tail -c 9",
		 (unsigned)strlen(in_directory("root")), in_directory("root"));
	if (pipe2(out, O_CLOEXEC) < 0)
		exit(2);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execl(program, program, "beside", "/bin/sh", "-c", script, "-Ddkvm.beside=", (char *)NULL);
		_exit(124);
	}
	close(out[1]);
	/* the end of its output comes with the end of the program, and not of who answers */
	size_t got = 0;
	for (ssize_t n = 1; n > 0 && got < sizeof told; got += (size_t)(n > 0 ? n : 0))
		n = read(out[0], told + got, sizeof told - got);
	close(out[0]);
	CHECK("a program that it is beside is answered", strcmp(told, "ID=debian") == 0);
	CHECK("… and its exit code is its own",
	      waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	char outside[PATH_MAX];
	int status;

	programs_setup();
	alarm(PATIENCE);
	if (!mkdtemp(directory) || mkdir(in_directory("root"), 0755) < 0 ||
	    !make_file("root/os-release", "ID=debian") || !make_file("outside", "secret"))
		return 2;
	snprintf(outside, sizeof outside, "%s/outside", directory);
	if (symlink("/os-release", in_directory("root/link")) < 0 ||
	    symlink("../outside", in_directory("root/out")) < 0 ||
	    symlink(outside, in_directory("root/absolute")) < 0 || mkfifo(in_directory("root/fifo"), 0600) < 0 ||
	    symlink("..", in_directory("root/up")) < 0 || mkdir(in_directory("root/empty"), 0755) < 0 ||
	    symlink("empty", in_directory("root/to-empty")) < 0 || symlink(".", in_directory("root/link-to-root")) < 0)
		return 2;
	pid_t pid = start();

	CHECK("a file's beginning is told", is("/os-release", "ID=debian"));
	CHECK("a link is followed in the root", is("/link", "ID=debian"));
	CHECK("… and not out of it", is("/out", "none") && is("/absolute", "none") && is("/../../outside", "none"));
	CHECK("a FIFO is not waited for", is("/fifo", "none"));
	CHECK("what is no regular file is none", is("/", "none") && is("/nothing", "none"));
	ask(2, in_directory("root"), "os-release");
	CHECK("no more is told than was asked for", strcmp(answer(), "ID") == 0);
	ask(64, in_directory("root/os-release"), "");
	CHECK("a root may be the file itself", strcmp(answer(), "ID=debian") == 0);
	ask(64, in_directory("nowhere"), "/os-release");
	CHECK("a root that is not there has none", strcmp(answer(), "none") == 0);
	looks();
	ask(65537, in_directory("root"), "/os-release");
	CHECK("who asks for too much is no longer answered", strcmp(answer(), "ended") == 0);
	close(link_to);
	CHECK("and it ends", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pid = start();
	close(link_to);
	CHECK("it ends with who asks",
	      waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	answers_beside_another();
	for (const char *const *name =
		     (const char *const[]){"root/os-release", "root/link", "root/out", "root/absolute", "root/fifo",
					   "outside", "root/up", "root/to-empty", "root/link-to-root", NULL};
	     *name; name++)
		unlink(in_directory(*name));
	rmdir(in_directory("root/empty"));
	rmdir(in_directory("root"));
	rmdir(directory);
	programs_cleanup();
	return check_end();
}
