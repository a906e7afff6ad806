/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/exec/exec_options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	MAX_GROUPS = 1024,
	CAPABILITY_SETS = 5,
	OOM_SCORE_LIMIT = 1000,
};

/*
 * Numbers with a separator between them, most at most, each limit at most. Returns how many there are, -EINVAL
 * when the text is anything else.
 */
static int numbers(const char *text, char separator, int base, uint64_t limit, uint64_t *values, int most)
{
	int count = 0;

	for (;;) {
		char *end;

		/* strtoull(3) itself takes blanks, signs and 0x. */
		if (count == most || !strchr(base == 16 ? "0123456789abcdefABCDEF" : "0123456789", *text) || !*text)
			return -EINVAL;
		errno = 0;
		values[count] = strtoull(text, &end, base);
		if (errno || values[count++] > limit)
			return -EINVAL;
		if (!*end)
			return count;
		if (*end != separator)
			return -EINVAL;
		text = end + 1;
	}
}

static int take_user(struct request *r, const char *text)
{
	uint64_t ids[2];
	uint8_t value[8];

	if (numbers(text, ':', 10, UINT32_MAX, ids, 2) != 2)
		return -EINVAL;
	put_u32(value, (uint32_t)ids[0]);
	put_u32(value + 4, (uint32_t)ids[1]);
	return request_add(r, RECORD_USER, value, sizeof value);
}

static int take_groups(struct request *r, const char *text)
{
	static uint64_t groups[MAX_GROUPS];
	static uint8_t value[4 * MAX_GROUPS];

	if (!*text)
		return 0;
	int count = numbers(text, ',', 10, UINT32_MAX, groups, MAX_GROUPS);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		put_u32(value + 4 * i, (uint32_t)groups[i]);
	return request_add(r, RECORD_GROUPS, value, 4 * (size_t)count);
}

static int take_cwd(struct request *r, const char *text)
{
	/* what the agent takes for one: more would break its channel, and with it the VM */
	return text[0] == '/' && strlen(text) < PATH_MAX ? request_add(r, RECORD_CWD, text, strlen(text)) : -EINVAL;
}

static int take_capabilities(struct request *r, const char *text)
{
	uint64_t sets[CAPABILITY_SETS];
	uint8_t value[8 * CAPABILITY_SETS];

	if (numbers(text, ':', 16, UINT64_MAX, sets, CAPABILITY_SETS) != CAPABILITY_SETS)
		return -EINVAL;
	for (int i = 0; i < CAPABILITY_SETS; i++)
		put_u64(value + 8 * i, sets[i]);
	return request_add(r, RECORD_CAPABILITIES, value, sizeof value);
}

static int take_no_new_privileges(struct request *r, const char *text)
{
	(void)text;
	return request_add(r, RECORD_NO_NEW_PRIVILEGES, (const uint8_t[]){1}, 1);
}

static int take_rlimit(struct request *r, const char *text)
{
	uint64_t limit[3];
	uint8_t value[20];

	if (numbers(text, ':', 10, UINT64_MAX, limit, 3) != 3 || limit[0] >= RLIM_NLIMITS)
		return -EINVAL;
	put_u32(value, (uint32_t)limit[0]);
	put_u64(value + 4, limit[1]);
	put_u64(value + 12, limit[2]);
	return request_add(r, RECORD_RLIMIT, value, sizeof value);
}

static int take_oom_score(struct request *r, const char *text)
{
	uint64_t score;
	uint8_t value[4];
	bool negative = *text == '-';

	if (numbers(text + (negative ? 1 : 0), ':', 10, OOM_SCORE_LIMIT, &score, 1) != 1)
		return -EINVAL;
	put_u32(value, negative ? 0 - (uint32_t)score : (uint32_t)score);
	return request_add(r, RECORD_OOM_SCORE_ADJ, value, sizeof value);
}

static int take_set_home(struct request *r, const char *text)
{
	(void)text;
	r->set_home = true;
	return request_add(r, RECORD_SET_HOME, (const uint8_t[]){1}, 1);
}

static int take_umask(struct request *r, const char *text)
{
	uint64_t mask;
	uint8_t value[4];

	if (numbers(text, ':', 10, 0777, &mask, 1) != 1)
		return -EINVAL;
	put_u32(value, (uint32_t)mask);
	return request_add(r, RECORD_UMASK, value, sizeof value);
}

static int take_signal(struct exec_options *options, const char *text)
{
	uint64_t number;

	if (numbers(text, ':', 10, 64, &number, 1) != 1 || number == 0)
		return -EINVAL;
	options->signal = (uint32_t)number;
	return 0;
}

/* A container's number, the first one's being 1. */
static int take_container(struct exec_options *options, const char *text, uint32_t least)
{
	uint64_t number;

	if (numbers(text, ':', 10, UINT32_MAX, &number, 1) != 1 || number < least)
		return -EINVAL;
	options->container = (uint32_t)number;
	return 0;
}

static int take_any_container(struct exec_options *options, const char *text)
{
	return take_container(options, text, FIRST_CONTAINER);
}

static int take_member(struct exec_options *options, const char *text)
{
	options->member = true;
	return take_container(options, text, FIRST_CONTAINER + 1);
}

static int take_exhaust(struct exec_options *options, const char *text)
{
	uint64_t bytes;

	options->exhaust = text;
	return numbers(text, ':', 10, UINT64_MAX - 1, &bytes, 1) == 1 && bytes > 0 ? 0 : -EINVAL;
}

static int take_socket(struct exec_options *options, const char *text)
{
	options->socket = text;
	return 0;
}

/* MEMORY:PROCESSORS:PROCESSES; UINT64_MAX processes: no limit */
static int take_update(struct exec_options *options, const char *text)
{
	if (numbers(text, ':', 10, UINT64_MAX, options->limits, 3) != 3 || options->limits[1] > UINT32_MAX)
		return -EINVAL;
	options->update = true;
	return 0;
}

static const struct option {
	const char *name;
	bool has_value;
	int (*take)(struct request *, const char *text);
} known_options[] = {
	{"--user", true, take_user},
	{"--groups", true, take_groups},
	{"--cwd", true, take_cwd},
	{"--caps", true, take_capabilities},
	{"--no-new-privs", false, take_no_new_privileges},
	{"--rlimit", true, take_rlimit},
	{"--oom-score-adj", true, take_oom_score},
	{"--set-home", false, take_set_home},
	{"--umask", true, take_umask},
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < sizeof known_options / sizeof known_options[0]; i++)
		if (strcmp(name, known_options[i].name) == 0)
			return &known_options[i];
	return NULL;
}

/* Those that are none of the process's; each has a value. */
static const struct own_option {
	const char *name;
	int (*take)(struct exec_options *, const char *text);
} own_options[] = {
	{"--signal", take_signal}, {"--update", take_update},   {"--container", take_any_container},
	{"--member", take_member}, {"--exhaust", take_exhaust}, {"--socket", take_socket},
};

static const struct own_option *find_own_option(const char *name)
{
	for (size_t i = 0; i < sizeof own_options / sizeof own_options[0]; i++)
		if (strcmp(name, own_options[i].name) == 0)
			return &own_options[i];
	return NULL;
}

/* Says to the agent whose process it is; of the first container nobody does. */
static int add_container(const struct exec_options *options, struct request *request)
{
	uint8_t value[5] = {0};

	put_u32(value, options->container);
	return options->container == FIRST_CONTAINER ? 0 : request_add(request, RECORD_CONTAINER, value, sizeof value);
}

/* What comes behind the options; a member's process is in its plan. */
static const char *take_rest(struct exec_options *options, struct request *request, char **rest)
{
	bool short_form = options->signal || options->update || options->usage;

	if (options->member && (short_form || options->terminal || request->options_length > 0))
		return "--member";
	if (options->exhaust && !options->member)
		return "--exhaust";
	if (options->member || short_form)
		return *rest;
	if (!*rest || !rest[1])
		return "no program";
	request->arguments = rest + 1;
	return add_container(options, request) < 0 ? "--container" : NULL;
}

const char *exec_options_parse(struct exec_options *options, struct request *request, char **argv)
{
	char **p = argv + 1;

	*options = (struct exec_options){.socket = "/run/dkvm/monitor.sock", .container = FIRST_CONTAINER};
	for (; *p && strcmp(*p, "--") != 0; p++) {
		const struct option *option = find_option(*p);
		const struct own_option *own = find_own_option(*p);

		if (strcmp(*p, "--tty") == 0) {
			options->terminal = true;
		} else if (strcmp(*p, "--usage") == 0) {
			options->usage = true;
		} else if (own && p[1]) {
			if (own->take(options, *++p) < 0)
				return *p;
		} else if (!option || (option->has_value && !p[1])) {
			return *p;
		} else {
			const char *value = option->has_value ? *++p : "";

			if (option->take(request, value) < 0)
				return option->has_value ? value : *p;
		}
	}
	return take_rest(options, request, p);
}
