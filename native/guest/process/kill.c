/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/kill.h"

#include "guest/early.h"
#include "common/files.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who forks faster than it is killed is left to the end of the VM. */
enum { ROUNDS = 16 };

pid_t session_in_stat(const char *stat)
{
	const char *name_end = strrchr(stat, ')');
	char state;
	int parent, group, session;

	if (!name_end || sscanf(name_end + 1, " %c %d %d %d", &state, &parent, &group, &session) != 4)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : session;
}

static bool is_of_session(const char *name, pid_t leader)
{
	char path[300], stat[1024];

	if (!isdigit((unsigned char)name[0]))
		return false;
	snprintf(path, sizeof path, "%s/stat", name);
	return read_text(early.proc, path, stat, sizeof stat) > 0 && session_in_stat(stat) == leader;
}

/* Returns how many there were. */
static int kill_round(pid_t leader)
{
	int fd = openat(early.proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
	DIR *processes = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!processes) {
		close_cleanup(&fd);
		return 0;
	}
	while ((entry = readdir(processes))) {
		if (is_of_session(entry->d_name, leader) && kill((pid_t)atoi(entry->d_name), SIGKILL) == 0)
			found++;
	}
	closedir(processes);
	return found;
}

void kill_session(pid_t leader)
{
	/* it may not have come to setsid(2) */
	kill(leader, SIGKILL);
	for (int i = 0; i < ROUNDS && kill_round(leader) > 0; i++)
		continue;
}
