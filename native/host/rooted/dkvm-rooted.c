/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-rooted: what is done with paths that an image, or a volume, chose, outside the VM.
 *
 *     dkvm-rooted make ROOT [directory PATH | file PATH]...
 *     dkvm-rooted answer
 *     dkvm-rooted beside PROGRAM [ARGUMENT]...
 *
 * The first makes mount points, for a root that the guest may not write to. Exit code 0: done; 1: not, and standard output says why.
 * The second is asked on standard input, until its end, and answers on standard output. The third becomes PROGRAM, which asks another
 * process of ours: so who asks need not start us, which takes a JVM longer. An argument "-Ddkvm.beside=" is given the descriptors, of answers
 * and of questions, as "10,11". Little-endian:
 *
 *     question  bytes wanted 4 | length of ROOT 2 | of PATH 2 | ROOT | PATH
 *     answer    number of bytes 4, or UINT32_MAX: there is no such thing, or it can not be looked at | they
 *
 * Wanted are the first bytes of a regular file, or, as a number of bytes:
 *
 *     UINT32_MAX      what is there: mode 4 (inode(7)) | uid 4 | gid 4 | a link's text. Of none that is not there: nothing
 *     UINT32_MAX - 1  whether it is a directory without entries: 1, and else 0
 *
 * For a file, links are followed below ROOT, whatever they say; what is looked at is at the end of a path without links. Nothing is waited
 * for. ROOT itself is the engine's word, and its links are followed; it may be the file itself, and then PATH is empty.
 */
#include "common/files.h"
#include "common/frame.h"
#include "common/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD_MAX = 65536, /* bytes */
	PATIENCE = 10,    /* s */
	FIRST = 10,       /* descriptor that a program is given; none that it has is taken from it */
	LOOK_SIZE = 12    /* bytes, without a link's text */
};

#define BESIDE "-Ddkvm.beside="

static const uint32_t LOOK = UINT32_MAX, EMPTY = UINT32_MAX - 1;

static int usage(void)
{
	printf("usage: dkvm-rooted make ROOT [directory PATH | file PATH]... | answer | beside PROGRAM "
	       "[ARGUMENT]...\n");
	return 2;
}

static int make_one(int root, const char *kind, const char *path)
{
	char text[64];
	bool directory = strcmp(kind, "directory") == 0;

	if (!directory && strcmp(kind, "file") != 0)
		return usage();
	auto_close int place = place_make(root, path, directory);
	if (place < 0)
		printf("mount point %s can not be made: %s\n", path, error_text(place, text));
	return place < 0 ? 1 : 0;
}

static int make(int root, char **argv)
{
	int result = 0;

	umask(0022);
	for (; argv[0] && result == 0; argv += 2)
		result = argv[1] ? make_one(root, argv[0], argv[1]) : usage();
	return result;
}

static bool read_all(void *buffer, size_t size)
{
	return fread(buffer, 1, size, stdin) == size;
}

/* The beginning of the file, or -errno. */
static ssize_t head(const char *root_path, const char *path, uint8_t *buffer, size_t most)
{
	auto_close int root = open(root_path, O_PATH | O_CLOEXEC);
	auto_close int fd = root < 0 ? -errno : place_read(root, path);
	size_t got = 0;

	if (fd < 0)
		return fd;
	while (got < most) {
		ssize_t n = read(fd, buffer + got, most - got);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* What is there, or -errno. */
static ssize_t look(int root, const char *path, uint8_t *buffer)
{
	struct stat st;
	ssize_t n = 0;
	auto_close int fd = place_look(root, path);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	put_u32(buffer, st.st_mode);
	put_u32(buffer + 4, st.st_uid);
	put_u32(buffer + 8, st.st_gid);
	if (S_ISLNK(st.st_mode))
		n = readlinkat(fd, "", (char *)buffer + LOOK_SIZE, PATH_MAX);
	return n < 0 ? -errno : LOOK_SIZE + n;
}

static bool has_entries(int place)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/self/fd/%d", place);
	DIR *directory = opendir(name);
	bool found = !directory;

	for (struct dirent *entry = NULL; !found && (entry = readdir(directory));)
		found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	if (directory)
		closedir(directory);
	return found;
}

static ssize_t is_empty(int root, const char *path, uint8_t *buffer)
{
	auto_close int fd = place_look(root, path);

	buffer[0] = fd >= 0 && !has_entries(fd);
	return 1;
}

static ssize_t reply(const char *root_path, const char *path, uint8_t *buffer, uint32_t wanted)
{
	if (wanted != LOOK && wanted != EMPTY)
		return head(root_path, path, buffer, wanted);
	auto_close int root = open(root_path, O_PATH | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT && wanted == LOOK ? 0 : -errno;
	return wanted == LOOK ? look(root, path, buffer) : is_empty(root, path, buffer);
}

/* One question. false: it was the last, or none of ours. */
static bool answer(void)
{
	static char root[PATH_MAX], path[PATH_MAX];
	static uint8_t bytes[HEAD_MAX];
	uint8_t header[8], length[4];

	if (!read_all(header, sizeof header))
		return false;
	uint32_t wanted = get_u32(header);
	size_t root_size = get_u16(header + 4), path_size = get_u16(header + 6);

	if ((wanted > sizeof bytes && wanted < EMPTY) || root_size >= sizeof root || path_size >= sizeof path ||
	    !read_all(root, root_size) || !read_all(path, path_size))
		return false;
	root[root_size] = path[path_size] = '\0';
	/* a filesystem that does not answer is the end of us, and not of who asks */
	alarm(PATIENCE);
	ssize_t n = reply(root, path, bytes, wanted);

	alarm(0);
	put_u32(length, n < 0 ? UINT32_MAX : (uint32_t)n);
	return fwrite(length, 1, sizeof length, stdout) == sizeof length &&
	       (n <= 0 || fwrite(bytes, 1, (size_t)n, stdout) == (size_t)n) && fflush(stdout) == 0;
}

static int beside(char **program)
{
	static char told[64];
	int questions[2], answers[2];

	if (pipe2(questions, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0) {
		dprintf(STDERR_FILENO, "dkvm-rooted: %s\n", strerror(errno));
		return 1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		/* neither our caller's output, which ends when the last who has it closes it, nor the ends that are PROGRAM's */
		if (dup2(questions[0], STDIN_FILENO) < 0 || dup2(answers[1], STDOUT_FILENO) < 0)
			_exit(1);
		close(questions[1]);
		close(answers[0]);
		/* nor the caller's files, where the kernel has this call: from Linux 5.9 on, three after openat2(2) */
		close_range(STDERR_FILENO + 1, UINT_MAX, 0);
		while (answer())
			;
		_exit(0);
	}
	int heard = fcntl(answers[0], F_DUPFD, FIRST), asked = fcntl(questions[1], F_DUPFD, FIRST);
	if (pid < 0 || heard < 0 || asked < 0) {
		dprintf(STDERR_FILENO, "dkvm-rooted: %s\n", strerror(errno));
		return 1;
	}
	snprintf(told, sizeof told, BESIDE "%d,%d", heard, asked);
	for (char **argument = program; *argument; argument++)
		if (strcmp(*argument, BESIDE) == 0)
			*argument = told;
	execv(program[0], program);
	dprintf(STDERR_FILENO, "dkvm-rooted: can not start %s: %s\n", program[0], strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "beside") == 0)
		return beside(argv + 2);
	if (argc == 2 && strcmp(argv[1], "answer") == 0) {
		while (answer())
			;
		return 0;
	}
	if (argc < 3 || strcmp(argv[1], "make") != 0)
		return usage();
	auto_close int root = open(argv[2], O_PATH | O_CLOEXEC);
	if (root < 0) {
		printf("%s is not there\n", argv[2]);
		return 1;
	}
	return make(root, argv + 3);
}
