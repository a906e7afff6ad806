/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/usage.h"

#include "common/clock.h"
#include "common/files.h"
#include "common/frame.h"
#include "guest/process/passwd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TICK_NANOS = 10000000, /* of USER_HZ */
	KIB = 1024,
	KTHREADD = 2,     /* the pid of the parent of all of the kernel's threads */
	USERS = 64,       /* whose names are remembered */
	USER_SIZE = 33,   /* bytes of a name that is shown, as useradd(8) bounds them */
	TEXT_SIZE = 4096, /* bytes: of a file of a process */
	STAT_SIZE = 65536 /* bytes: of "stat", where the processors come first */
};

struct seen {
	uint32_t pid, uid; /* as the workload sees them */
	uint32_t parent;
	char state;
	uint64_t ticks, pages;
	char command[USAGE_TEXT + 1];
};

struct user {
	uint32_t uid;
	char name[USER_SIZE];
};

struct users {
	struct user known[USERS];
	int count;
};

static uint64_t number_after(const char *text, const char *name)
{
	const char *found = strstr(text, name);

	return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

static int put_machine(const struct usage_view *view, uint8_t *bytes)
{
	static char text[STAT_SIZE];
	unsigned long long user, nice, kernel, irq, softirq, steal;
	uint32_t online = 0;

	if (read_text(view->proc, "stat", text, sizeof text) < 0 ||
	    sscanf(text, "cpu %llu %llu %llu %*s %*s %llu %llu %llu", &user, &nice, &kernel, &irq, &softirq, &steal) !=
		    6)
		return -EIO;
	for (const char *at = text; (at = strstr(at, "\ncpu")); at++)
		online++;
	put_u64(bytes, boot_nanos());
	put_u64(bytes + 8, (user + nice + kernel + irq + softirq + steal) * TICK_NANOS);
	if (read_text(view->proc, "meminfo", text, sizeof text) < 0)
		return -EIO;
	put_u64(bytes + 16, number_after(text, "MemTotal:") * KIB);
	put_u64(bytes + 24, number_after(text, "MemAvailable:") * KIB);
	put_u32(bytes + 32, online);
	return 0;
}

/* proc_pid_stat(5): a command's name may have any character, so what follows it is looked for from behind. */
static bool take_stat(const char *text, struct seen *seen)
{
	const char *name = strchr(text, '('), *end = strrchr(text, ')');
	unsigned long long user, kernel, pages;

	if (!name || !end || end < name ||
	    sscanf(end + 1, " %c %u %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %*s %*s %*s %*s %*s %*s %*s %*s %llu",
		   &seen->state, &seen->parent, &user, &kernel, &pages) != 5)
		return false;
	seen->ticks = user + kernel;
	seen->pages = pages;
	snprintf(seen->command, sizeof seen->command, "[%.*s]", (int)(end - name - 1), name + 1);
	return true;
}

/* The effective user, and the number in the workload's PID namespace: the second of those that the process has. */
static bool take_status(const struct usage_view *view, const char *text, struct seen *seen)
{
	const char *users = strstr(text, "\nUid:"), *numbers = strstr(text, "\nNSpid:");
	unsigned int first, second;

	if (!users || !numbers || sscanf(users, "\nUid: %*u %u", &seen->uid) != 1)
		return false;
	int count = sscanf(numbers, "\nNSpid:\t%u\t%u", &first, &second);
	if (view->machine) {
		seen->pid = first;
		return count >= 1 && (pid_t)first != view->agent && (pid_t)first != getpid() && first != KTHREADD &&
		       seen->parent != KTHREADD;
	}
	seen->pid = second;
	return count == 2;
}

/* What it was started with; what is there is its name, which it keeps where the kernel does not tell more. */
static void take_command(int process, struct seen *seen)
{
	char text[USAGE_TEXT + 1];
	ssize_t n = read_text(process, "cmdline", text, sizeof text);

	while (n > 0 && text[n - 1] == '\0')
		n--;
	if (n <= 0)
		return;
	for (ssize_t i = 0; i < n; i++)
		seen->command[i] = text[i] == '\0' ? ' ' : text[i];
	seen->command[n] = '\0';
}

static bool look_at(const struct usage_view *view, const char *number, struct seen *seen)
{
	char text[TEXT_SIZE];
	auto_close int process = openat(view->proc, number, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (process < 0 || read_text(process, "stat", text, sizeof text) < 0 || !take_stat(text, seen) ||
	    read_text(process, "status", text, sizeof text) < 0 || !take_status(view, text, seen))
		return false;
	take_command(process, seen);
	return true;
}

static const char *user_name(struct users *users, const char *passwd, uint32_t uid)
{
	static struct user other;

	for (int i = 0; i < users->count; i++)
		if (users->known[i].uid == uid)
			return users->known[i].name;
	struct user *user = users->count < USERS ? &users->known[users->count++] : &other;
	user->uid = uid;
	if (!passwd_name(passwd, uid, user->name, sizeof user->name))
		snprintf(user->name, sizeof user->name, "%u", uid);
	return user->name;
}

static size_t put_process(const struct seen *seen, const char *user, uint64_t page, uint8_t *at, size_t room)
{
	size_t name = strlen(user), command = strlen(seen->command);

	if (room < USAGE_ENTRY + name + command)
		return 0;
	put_u32(at, seen->pid);
	put_u32(at + 4, seen->uid);
	at[8] = (uint8_t)seen->state;
	put_u64(at + 9, seen->ticks * TICK_NANOS);
	put_u64(at + 17, seen->pages * page);
	at[25] = (uint8_t)name;
	memcpy(at + 26, user, name);
	at[26 + name] = (uint8_t)command;
	memcpy(at + 27 + name, seen->command, command);
	return USAGE_ENTRY + name + command;
}

ssize_t usage_read(const struct usage_view *view, uint8_t *bytes, size_t size)
{
	static struct users users;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint32_t there = 0;
	size_t used = USAGE_FIXED;
	struct dirent *entry;
	int r = put_machine(view, bytes);
	int fd = r < 0 ? r : openat(view->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return r < 0 ? r : -EIO;
	}
	users.count = 0;
	while ((entry = readdir(directory))) {
		struct seen seen;

		if (!isdigit((unsigned char)entry->d_name[0]) || !look_at(view, entry->d_name, &seen))
			continue;
		there++;
		used += put_process(&seen, user_name(&users, view->passwd, seen.uid), page, bytes + used, size - used);
	}
	closedir(directory);
	put_u32(bytes + 36, there);
	return (ssize_t)used;
}
