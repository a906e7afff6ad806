/* SPDX-License-Identifier: Apache-2.0 */
/* A process's records: what is accepted gives the strings that were there, and numbers within their bounds. */
#include "fuzz.h"

#include "guest/records/process.h"

#include <limits.h>
#include <sys/resource.h>

static size_t strings_size(const struct process *process)
{
	struct record record;
	size_t size = 0;
	long n;

	for (size_t at = 0; (n = record_parse(process->records.data + at, process->records.size - at, &record)) > 0;
	     at += (size_t)n)
		if (record.tag == RECORD_ARG || record.tag == RECORD_ENV)
			size += record.length;
	HOLDS(n == 0);
	return size;
}

static size_t check_strings(char **strings, uint32_t count, const uint8_t *records, size_t size)
{
	size_t all = 0;

	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(strings[i]);

		HOLDS(lies_within(strings[i], length + 1, records, size + 1));
		all += length;
	}
	HOLDS(strings[count] == NULL);
	return all;
}

static void check(struct process *process, uint8_t *records, size_t size)
{
	struct rlimit_record limit;

	HOLDS(process->args > 0 && process->umask <= 0777);
	HOLDS(process->oom_score_adj >= -1000 && process->oom_score_adj <= 1000);
	HOLDS(lies_within(process->cwd.data, process->cwd.size, records, size) && process->cwd.size < PATH_MAX);
	HOLDS(lies_within(process->groups.data, process->groups.size, records, size));
	HOLDS(process->groups.size % 4 == 0 && process->groups.size / 4 <= PROCESS_MAX_GROUPS);
	HOLDS(strnlen(process->device, sizeof process->device) < sizeof process->device);
	HOLDS(!strchr(process->device, '/'));
	for (size_t at = 0; process_next_rlimit(process, &at, &limit);)
		HOLDS(limit.resource < RLIM_NLIMITS);
	size_t expected = strings_size(process);
	char **argv = calloc(process->args + 1, sizeof *argv), **envp = calloc(process->envs + 1, sizeof *envp);

	HOLDS(argv && envp);
	process_strings(process, argv, envp);
	size_t found = check_strings(argv, process->args, records, size);
	HOLDS(found + check_strings(envp, process->envs, records, size) == expected);
	free(argv);
	free(envp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process process;
	uint8_t *records = malloc(size + 1);

	HOLDS(records);
	if (size > 0)
		memcpy(records, data, size);
	if (process_parse(records, size, &process) == 0)
		check(&process, records, size);
	free(records);
	return 0;
}
