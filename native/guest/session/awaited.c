/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/awaited.h"

#include "guest/early.h"
#include "common/files.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the workload's C library counts: it leaves the kernel's 32 and 33 to its threads. */
enum { SYSTEMD_POWEROFF = 34 + 4 };

static uint64_t mask(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

bool signal_in_status(const char *status, int number)
{
	uint64_t settled = mask(status, "\nSigIgn:") | mask(status, "\nSigCgt:") | mask(status, "\nSigBlk:");

	return settled >> (number - 1) & 1;
}

bool signal_awaited(pid_t pid, int number)
{
	char path[32], status[4096];

	if (number == SIGKILL || number == SIGSTOP)
		return true;
	snprintf(path, sizeof path, "%d/status", (int)pid);
	return read_text(early.proc, path, status, sizeof status) <= 0 || signal_in_status(status, number);
}

/* The fields are separated by blanks, but for the second one, which ends at the last bracket: the 14th and 15th are clock ticks. */
static uint64_t ticks(const char *stat)
{
	const char *at = strrchr(stat, ')');
	char *end;

	for (int i = 2; at && i < 14; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return 0;
	uint64_t user = strtoull(at, &end, 10);
	return user + strtoull(end, NULL, 10);
}

static uint64_t count(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

uint64_t signal_work_in(const char *stat, const char *status)
{
	return ticks(stat) + count(status, "\nvoluntary_ctxt_switches:") +
	       count(status, "\nnonvoluntary_ctxt_switches:");
}

uint64_t signal_work(pid_t pid)
{
	char path[32], stat[1024] = "", status[4096] = "";

	snprintf(path, sizeof path, "%d/stat", (int)pid);
	if (read_text(early.proc, path, stat, sizeof stat) <= 0)
		return 0;
	snprintf(path, sizeof path, "%d/status", (int)pid);
	return read_text(early.proc, path, status, sizeof status) <= 0 ? 0 : signal_work_in(stat, status);
}

int signal_meant_for(const char *program, int number)
{
	const char *slash = strrchr(program, '/');

	return number == SIGTERM && slash && strcmp(slash, "/systemd") == 0 ? SYSTEMD_POWEROFF : number;
}

int signal_meant(pid_t pid, int number)
{
	char path[32], program[256];

	if (number != SIGTERM)
		return number;
	snprintf(path, sizeof path, "%d/exe", (int)pid);
	ssize_t size = readlinkat(early.proc, path, program, sizeof program - 1);
	program[size < 0 ? 0 : size] = '\0';
	return signal_meant_for(program, number);
}
