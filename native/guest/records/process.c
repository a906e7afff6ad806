/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/records/process.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sys/resource.h>

static bool is_text(const struct record *record)
{
	return record->length == 0 || !memchr(record->value, '\0', record->length);
}

static int flag_value(const struct record *record, bool *flag)
{
	if (record->length != 1 || record->value[0] > 1)
		return -EPROTO;
	*flag = record->value[0] == 1;
	return 0;
}

static int u32_value(const struct record *record, uint32_t *value)
{
	if (record->length != 4)
		return -EPROTO;
	*value = get_u32(record->value);
	return 0;
}

static int take_cwd(const struct record *record, struct process *process)
{
	if (record->length == 0 || record->length >= PATH_MAX || record->value[0] != '/' || !is_text(record))
		return -EPROTO;
	process->cwd = (struct span){record->value, record->length};
	return 0;
}

static int take_user(const struct record *record, struct process *process)
{
	if (record->length != 8)
		return -EPROTO;
	process->uid = get_u32(record->value);
	process->gid = get_u32(record->value + 4);
	return 0;
}

static int take_groups(const struct record *record, struct process *process)
{
	if (record->length % 4 != 0 || record->length / 4 > PROCESS_MAX_GROUPS)
		return -EPROTO;
	process->groups = (struct span){record->value, record->length};
	return 0;
}

static int take_terminal(const struct record *record, struct process *process)
{
	if (record->length != 4)
		return -EPROTO;
	process->terminal = true;
	process->rows = get_u16(record->value);
	process->columns = get_u16(record->value + 2);
	return 0;
}

static int take_terminal_device(const struct record *record, struct process *process)
{
	if (record->length < 2 || record->length > PROCESS_DEVICE_SIZE || record->value[0] > 1)
		return -EPROTO;
	for (uint32_t i = 1; i < record->length; i++)
		if (!isascii(record->value[i]) || !isalnum(record->value[i]))
			return -EPROTO;
	process->direct = record->value[0] == 1;
	memcpy(process->device, record->value + 1, record->length - 1);
	process->device[record->length - 1] = '\0';
	return 0;
}

static int take_capabilities(const struct record *record, struct process *process)
{
	if (record->length != CAPS_SETS * 8)
		return -EPROTO;
	process->has_capabilities = true;
	for (int i = 0; i < CAPS_SETS; i++)
		process->capabilities[i] = get_u64(record->value + i * 8);
	return 0;
}

static int take_oom_score_adj(const struct record *record, struct process *process)
{
	uint32_t value;

	if (u32_value(record, &value) < 0)
		return -EPROTO;
	process->oom_score_adj = (int32_t)value;
	return process->oom_score_adj < -1000 || process->oom_score_adj > 1000 ? -EPROTO : 0;
}

static int take_ignored_signals(const struct record *record, struct process *process)
{
	if (record->length != 8)
		return -EPROTO;
	process->ignored_signals = get_u64(record->value);
	return 0;
}

static int take_umask(const struct record *record, struct process *process)
{
	return u32_value(record, &process->umask) < 0 || process->umask > 0777 ? -EPROTO : 0;
}

static int take_container(const struct record *record, struct process *process)
{
	if (record->length != 5 || record->value[4] > 1)
		return -EPROTO;
	process->container = get_u32(record->value);
	process->begins_container = record->value[4] == 1;
	return process->container < 2 ? -EPROTO : 0;
}

static int take(const struct record *record, struct process *process)
{
	switch (record->tag) {
	case RECORD_ARG:
		process->args++;
		return is_text(record) ? 0 : -EPROTO;
	case RECORD_ENV:
		process->envs++;
		return is_text(record) ? 0 : -EPROTO;
	case RECORD_CWD:
		return take_cwd(record, process);
	case RECORD_USER:
		return take_user(record, process);
	case RECORD_GROUPS:
		return take_groups(record, process);
	case RECORD_TERMINAL:
		return take_terminal(record, process);
	case RECORD_TERMINAL_DEVICE:
		return take_terminal_device(record, process);
	case RECORD_STDIN:
		return flag_value(record, &process->stdin_open);
	case RECORD_CAPABILITIES:
		return take_capabilities(record, process);
	case RECORD_NO_NEW_PRIVILEGES:
		return flag_value(record, &process->no_new_privileges);
	case RECORD_RLIMIT:
		return record->length == 20 && get_u32(record->value) < RLIM_NLIMITS ? 0 : -EPROTO;
	case RECORD_OOM_SCORE_ADJ:
		return take_oom_score_adj(record, process);
	case RECORD_INIT:
		return flag_value(record, &process->init);
	case RECORD_SET_HOME:
		return flag_value(record, &process->set_home);
	case RECORD_UMASK:
		return take_umask(record, process);
	case RECORD_IGNORED_SIGNALS:
		return take_ignored_signals(record, process);
	case RECORD_CONTAINER:
		return take_container(record, process);
	default:
		return -EPROTO;
	}
}

int process_parse(uint8_t *records, size_t size, struct process *process)
{
	struct record record;
	size_t at = 0;
	long n;

	*process = (struct process){.records = {records, size}, .umask = 0022};
	while ((n = record_parse(records + at, size - at, &record)) > 0) {
		if (take(&record, process) < 0)
			return -EPROTO;
		at += (size_t)n;
	}
	if (n < 0 || process->args == 0 || (process->device[0] && !process->terminal))
		return -EPROTO;
	if (process->container && process->device[0])
		return -EPROTO;
	return 0;
}

/* The end of a string is written over the first byte of the record behind it, so all are found before. */
void process_strings(struct process *process, char **argv, char **envp)
{
	uint8_t *records = (uint8_t *)(uintptr_t)process->records.data;
	struct record record;
	size_t at = 0;
	uint32_t args = 0, envs = 0;
	long n;

	while ((n = record_parse(records + at, process->records.size - at, &record)) > 0) {
		if (record.tag == RECORD_ARG)
			argv[args++] = (char *)records + at + RECORD_HEADER;
		if (record.tag == RECORD_ENV)
			envp[envs++] = (char *)records + at + RECORD_HEADER;
		at += (size_t)n;
	}
	assert(args == process->args && envs == process->envs);
	for (uint32_t i = 0; i < args; i++)
		argv[i][get_u32((uint8_t *)argv[i] - 4)] = '\0';
	for (uint32_t i = 0; i < envs; i++)
		envp[i][get_u32((uint8_t *)envp[i] - 4)] = '\0';
	argv[args] = NULL;
	envp[envs] = NULL;
}

bool process_next_rlimit(const struct process *process, size_t *at, struct rlimit_record *limit)
{
	struct record record;
	long n;

	while ((n = record_parse(process->records.data + *at, process->records.size - *at, &record)) > 0) {
		*at += (size_t)n;
		if (record.tag != RECORD_RLIMIT)
			continue;
		limit->resource = get_u32(record.value);
		limit->soft = get_u64(record.value + 4);
		limit->hard = get_u64(record.value + 12);
		return true;
	}
	return false;
}
