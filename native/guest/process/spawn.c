/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/spawn.h"

#include "guest/process/spawn_child.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/process/sysinit.h"
#include "guest/process/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* As a terminal is that tells no size. */
enum { CONSOLE_ROWS = 24, CONSOLE_COLUMNS = 80 };

/* A hard limit of open files over the kernel's is refused: raise that first, as the user asks for it. */
static void raise_nr_open(const struct process *process)
{
	struct rlimit_record limit;
	size_t at = 0;
	char number[32];

	while (process_next_rlimit(process, &at, &limit)) {
		if (limit.resource != RLIMIT_NOFILE ||
		    read_text(early.proc, "sys/fs/nr_open", number, sizeof number) <= 0)
			continue;
		if (limit.hard <= strtoull(number, NULL, 10))
			continue;
		snprintf(number, sizeof number, "%llu", (unsigned long long)limit.hard);
		write_text(early.proc, "sys/fs/nr_open", number);
	}
}

/* ours: the index of the agent's end, which does not block. */
static int open_pipe(int ends[2], int ours)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	return fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static void close_pair(int ends[2])
{
	close_clear(&ends[0]);
	close_clear(&ends[1]);
}

struct pairs {
	int status[2], input[2], output[2], error[2];
};

static int open_pairs(const struct process *process, struct pairs *p)
{
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->status) < 0)
		return -errno;
	if (process->terminal)
		return 0;
	if (process->stdin_open)
		r = open_pipe(p->input, 1);
	if (r == 0)
		r = open_pipe(p->output, 0);
	if (r == 0)
		r = open_pipe(p->error, 0);
	return r;
}

/* What a system writes to its console is the workload's output, whether or not that is somebody's terminal. */
static void give_console(struct process *process)
{
	process->terminal = true;
	if (process->rows == 0 || process->columns == 0) {
		process->rows = CONSOLE_ROWS;
		process->columns = CONSOLE_COLUMNS;
	}
}

static pid_t fork_for(bool first, bool sysinit, struct member *member, struct failure *error)
{
	if (member)
		return first ? member_fork_first(member, error) : member_fork(member);
	if (!first)
		return workload_fork_exec();
	return sysinit ? workload_fork_machine() : workload_fork_first();
}

static bool sees_machine(const struct member *member)
{
	return workload_is_machine() && (!member || member->shares_pids);
}

int spawn(struct process *process, bool first, struct member *member, struct spawned *spawned, struct failure *error)
{
	struct pairs p = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	bool sysinit = first && !member && sysinit_wanted(process);
	char text[64];

	if (sysinit)
		give_console(process);
	int r = open_pairs(process, &p);
	error->text[0] = '\0';
	if (r == 0) {
		raise_nr_open(process);
		pid_t pid = fork_for(first, sysinit, member, error);
		if (pid == 0) {
			const struct child child = {process,     member,     first,       sees_machine(member),
						    p.status[1], p.input[0], p.output[1], p.error[1]};
			child_run(&child);
		}
		spawned->pid = pid;
		r = pid < 0 ? pid : 0;
	}
	if (r < 0) {
		close_pair(p.status);
		close_pair(p.input);
		close_pair(p.output);
		close_pair(p.error);
		return error->text[0] ? r : fail(error, r, "%s", error_text(r, text));
	}
	close_clear(&p.status[1]);
	close_clear(&p.input[0]);
	close_clear(&p.output[1]);
	close_clear(&p.error[1]);
	spawned->status = p.status[0];
	spawned->input = p.input[1];
	spawned->output = p.output[0];
	spawned->error = p.error[0];
	spawned->sysinit = sysinit;
	return 0;
}

int spawn_read_report(int status, struct report *report, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = {report, sizeof *report};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

	*fd = -1;
	ssize_t n = recvmsg(status, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : 0;
	if (n != sizeof *report)
		return 0;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof *fd);
	report->text[sizeof report->text - 1] = '\0';
	return 1;
}
