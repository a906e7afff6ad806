/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/members.h"

#include "common/channel.h"
#include "common/files.h"
#include "guest/early.h"
#include "guest/kernel/group.h"
#include "guest/kernel/system.h"
#include "guest/log.h"
#include "guest/process/workload.h"
#include "guest/setup/member.h"
#include "guest/setup/podfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a cleaner ends with. */
enum { CLEAN = 0, RAN_OUT = 1, LEFT = 2 };

static struct member *members;
static uint8_t used[MEMBER_NUMBERS / 8]; /* bits of numbers that have been begun */
static size_t loading_bytes;
static int loading, running;
static bool were_there, closed;
static int own_pids = -1; /* the agent's PID namespace */

static bool is_used(uint32_t number)
{
	return number < MEMBER_NUMBERS && (used[number / 8] >> number % 8 & 1);
}

static struct member *find(uint32_t number)
{
	struct member *member = members;

	while (member && member->number != number)
		member = member->next;
	return member;
}

static struct member *create(uint32_t number)
{
	struct member *member = loading < MEMBERS_LOADING ? calloc(1, sizeof *member) : NULL;

	if (!member)
		return NULL;
	member->number = number;
	member->pidfd = member->mounts = -1;
	member->next = members;
	members = member;
	loading++;
	return member;
}

static void drop_records(struct member *member)
{
	free(member->records);
	member->records = NULL;
	member->size = member->capacity = 0;
	member->container = (struct container){.records = {NULL, 0}};
}

#pragma GCC diagnostic push
/* GCC 12 takes what realloc(3) gave back for lost once it is stored in the list */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"

bool members_are_there(void)
{
	return running > 0;
}

void members_close(void)
{
	closed = true;
}

bool members_were_there(void)
{
	return were_there;
}

int members_add_records(uint32_t number, const uint8_t *bytes, size_t size)
{
	struct member *member = find(number);

	if (number < 2 || number >= MEMBER_NUMBERS || is_used(number))
		return -EPROTO;
	if (!member && !(member = create(number)))
		return -EPROTO;
	if (size > CONTAINER_MAX_RECORDS - member->size || size > MEMBERS_MAX_RECORDS - loading_bytes)
		return -EPROTO;
	if (member->size + size > member->capacity) {
		size_t capacity = (member->size + size) * 2;
		uint8_t *more = realloc(member->records, capacity);
		if (!more)
			return -EPROTO;
		member->records = more;
		member->capacity = capacity;
	}
	if (size > 0)
		memcpy(member->records + member->size, bytes, size);
	member->size += size;
	loading_bytes += size;
	return 0;
}

#pragma GCC diagnostic pop

enum member_answer members_begin(uint32_t number, struct member **member)
{
	struct member *found = find(number);

	if (!found || found->begun || is_used(number) ||
	    container_parse(found->records, found->size, &found->container) < 0 ||
	    !container_fits_member(&found->container))
		return MEMBER_WRONG;
	used[number / 8] |= (uint8_t)(1u << number % 8);
	loading_bytes -= found->size;
	loading--;
	running++;
	found->begun = true;
	were_there = true;
	found->shares_pids = found->container.shares_pids;
	if (closed || running > MEMBERS_MAX) {
		member_release(found);
		return closed ? MEMBER_TOO_LATE : MEMBER_TOO_MANY;
	}
	*member = found;
	return MEMBER_GO;
}

enum member_answer members_find(uint32_t number, struct member **member)
{
	struct member *found = find(number);

	if (!is_used(number))
		return MEMBER_WRONG;
	if (!found || found->ended)
		return MEMBER_GONE;
	*member = found;
	return found->up ? MEMBER_GO : MEMBER_WAIT;
}

/* The agent's children are born in the namespace that it has joined, while it stays in its own. */
static pid_t fork_into(int pidfd)
{
	if (own_pids < 0 && (own_pids = openat(early.proc, "self/ns/pid", O_RDONLY | O_CLOEXEC)) < 0)
		return -errno;
	if (setns(pidfd, CLONE_NEWPID) < 0)
		return -errno;
	pid_t pid = fork();
	int error = errno;
	if (pid == 0)
		return 0;
	setns(own_pids, CLONE_NEWPID);
	return pid < 0 ? -error : pid;
}

static pid_t fork_first(const struct member *member)
{
	if (member->shares_pids)
		return workload_fork_exec();
	/* as fork(2): no new stack, so the child goes on here */
	long pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	return pid < 0 ? -errno : (pid_t)pid;
}

pid_t member_fork_first(struct member *member, struct failure *error)
{
	char text[64];
	int r = group_mount(error);

	if (r == 0)
		r = podfs_make(&member->container, error);
	if (r < 0)
		return r;
	pid_t pid = fork_first(member);
	if (pid == 0)
		return 0;
	drop_records(member);
	if (pid < 0)
		return fail(error, pid, "%s", error_text(pid, text));
	member->first = pid;
	member->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pid;
}

pid_t member_fork(const struct member *member)
{
	return member->pidfd < 0 ? -ESRCH : fork_into(member->pidfd);
}

int member_leave_agent(const struct member *member, struct failure *error)
{
	/* what this process has of the channel is a copy */
	channel_disown();
	return member_leave(member->number, &member->container, error);
}

int member_enter_first(const struct member *member, struct failure *error)
{
	return member_set_up(&member->container, error);
}

int member_enter(const struct member *member)
{
	int r = group_join(member->number, member->first);

	if (r == 0 && setns(member->pidfd, CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		r = -errno;
	return r;
}

void member_kill(struct member *member)
{
	member->ended = true;
	/* it may not have come to its group */
	if (member->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, member->pidfd, SIGKILL, NULL, 0);
	group_kill(member->number);
}

static int clean(const struct member *member)
{
	char text[64];

	channel_disown();
	/* it outlives an OOM kill of others */
	write_text(early.proc, "self/oom_score_adj", "-1000");
	int r = group_end(member->number);
	if (r < 0)
		log_text(LOG_LEVEL_WARNING, "control group of container %u: %s", member->number, error_text(r, text));
	member_clean(member->number, member->mounts);
	return r < 0 ? LEFT : r > 0 ? RAN_OUT : CLEAN;
}

int member_end(struct member *member)
{
	if (member->cleaner > 0)
		return 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(clean(member));
	if (pid < 0)
		return -errno;
	member->cleaner = pid;
	close_clear(&member->mounts);
	return 0;
}

bool member_ended(struct member *member, int status)
{
	member->cleaner = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > RAN_OUT)
		log_text(LOG_LEVEL_WARNING, "something of container %u is left", member->number);
	bool ran_out = WIFEXITED(status) && WEXITSTATUS(status) == RAN_OUT;
	if (ran_out)
		system_forget_kills();
	return ran_out;
}

void members_forget_kills(void)
{
	for (const struct member *member = members; member; member = member->next)
		if (member->begun && group_has_run_out(member->number))
			system_forget_kills();
}

void member_release(struct member *member)
{
	struct member **at = &members;

	while (*at && *at != member)
		at = &(*at)->next;
	if (*at)
		*at = member->next;
	running--;
	close_clear(&member->pidfd);
	close_clear(&member->mounts);
	free(member->records);
	free(member);
}
