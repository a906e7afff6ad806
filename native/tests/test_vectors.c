/* SPDX-License-Identifier: Apache-2.0 */
/* protocol/vectors: what each says, the decoder must find. */
#include "guest/records/container.h"
#include "guest/records/machine.h"
#include "guest/records/process.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 32, BYTES_MAX = 4096 };

struct vector {
	char key[KEYS_MAX][32], value[KEYS_MAX][128];
	int keys;
	uint8_t bytes[BYTES_MAX];
	size_t size;
};

static struct vector vector;

static const char *expected(const char *key)
{
	for (int i = 0; i < vector.keys; i++)
		if (strcmp(vector.key[i], key) == 0)
			return vector.value[i];
	return NULL;
}

/* What is not said is not checked. */
static void check_number(const char *key, uint64_t found)
{
	const char *value = expected(key);

	if (!value || strtoull(value, NULL, 0) == found)
		return;
	test_holds = false;
	printf("# %s: %s is expected, %llu was found\n", key, value, (unsigned long long)found);
}

static void check_text(const char *key, struct span found)
{
	const char *value = expected(key);

	if (!value || span_is(found, value))
		return;
	test_holds = false;
	printf("# %s: %s is expected, %.*s was found\n", key, value, (int)found.size, (const char *)found.data);
}

static void read_line(char *line)
{
	if (line[0] == '#') {
		if (vector.keys < KEYS_MAX && strchr(line, ':') &&
		    sscanf(line, "# %31[a-z-]: %127[^\n]", vector.key[vector.keys], vector.value[vector.keys]) == 2)
			vector.keys++;
		return;
	}
	for (char *digits = strtok(line, " \n"); digits && vector.size < BYTES_MAX; digits = strtok(NULL, " \n"))
		vector.bytes[vector.size++] = (uint8_t)strtoul(digits, NULL, 16);
}

static bool read_vector(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");

	if (!file)
		return false;
	memset(&vector, 0, sizeof vector);
	while (fgets(line, sizeof line, file))
		read_line(line);
	fclose(file);
	return vector.size > 0;
}

static uint64_t count(const struct machine *machine, uint16_t tag)
{
	struct record record;
	size_t at = 0;
	uint64_t found = 0;

	while (machine_next(machine, tag, &at, &record))
		found++;
	return found;
}

static int check_machine(const struct frame *frame)
{
	struct machine machine;
	int r = machine_parse(frame->payload, frame->length, &machine);

	if (r < 0)
		return r;
	check_text("hostname", machine.hostname);
	check_text("domainname", machine.domainname);
	check_number("sysctls", count(&machine, RECORD_SYSCTL));
	check_number("nics", count(&machine, RECORD_NIC));
	check_number("addresses", count(&machine, RECORD_ADDRESS));
	check_number("routes", count(&machine, RECORD_ROUTE));
	check_number("modules", count(&machine, RECORD_MODULES));
	check_number("processors", machine.processors);
	check_number("shared-network", machine.shared_network);
	return 0;
}

static uint64_t count_of_container(const struct container *container, uint16_t tag)
{
	struct record record;
	size_t at = 0;
	uint64_t found = 0;

	while (container_next(container, tag, &at, &record))
		found++;
	return found;
}

/* CONTAINER has its number first, SOCKETS has none. */
static int check_container(const struct frame *frame)
{
	struct container container;
	size_t number = frame->type == FRAME_CONTAINER ? 4 : 0;
	int r = frame->length < number ? -EPROTO
				       : container_parse(frame->payload + number, frame->length - number, &container);

	if (r < 0)
		return r;
	if (number > 0)
		check_number("number", get_u32(frame->payload));
	check_number("read-only-root", container.read_only_root);
	check_number("mounts", count_of_container(&container, RECORD_MOUNT));
	check_number("cgroups", container.cgroups);
	check_number("pids-limit", container.pids_limit);
	check_number("devices", count_of_container(&container, RECORD_DEVICE));
	check_number("masked", count_of_container(&container, RECORD_MASKED_PATH));
	check_number("read-only", count_of_container(&container, RECORD_READ_ONLY_PATH));
	check_number("sockets", count_of_container(&container, RECORD_SOCKET));
	check_text("root-slot", container.root_slot);
	check_number("memory-limit", container.memory_limit);
	check_number("cpu-quota", container.cpu_quota);
	check_number("cpu-period", container.cpu_period);
	check_number("cpu-weight", container.cpu_weight);
	check_number("shares-pids", container.shares_pids);
	check_number("own-ipc", container.own_ipc);
	check_text("host-name", container.host_name);
	return 0;
}

static int check_change(const struct frame *frame)
{
	struct machine machine;
	int r = frame->length < 4 ? -EPROTO : machine_parse_change(frame->payload + 4, frame->length - 4, &machine);

	if (r < 0)
		return r;
	check_number("number", get_u32(frame->payload));
	check_number("sysctls", count(&machine, RECORD_SYSCTL));
	check_number("nics", count(&machine, RECORD_NIC));
	check_number("addresses", count(&machine, RECORD_ADDRESS));
	check_number("routes", count(&machine, RECORD_ROUTE));
	check_number("gone", count(&machine, RECORD_NIC_GONE) + count(&machine, RECORD_ADDRESS_GONE) +
				     count(&machine, RECORD_ROUTE_GONE));
	return 0;
}

static int check_process(const struct frame *frame)
{
	struct process process;
	int r = process_parse((uint8_t *)(uintptr_t)frame->payload + 1, frame->length - 1, &process);

	if (r < 0)
		return r;
	check_number("args", process.args);
	check_number("envs", process.envs);
	check_text("cwd", process.cwd);
	check_number("uid", process.uid);
	check_number("gid", process.gid);
	check_number("groups", process.groups.size / 4);
	check_number("rows", process.rows);
	check_number("columns", process.columns);
	check_number("umask", process.umask);
	check_number("ignored", process.ignored_signals);
	check_text("device", (struct span){(const uint8_t *)process.device, strlen(process.device)});
	check_number("direct", process.direct);
	check_number("container", process.container);
	check_number("begins", process.begins_container);
	return 0;
}

static void check_frame(const struct frame *frame)
{
	const char *records = expected("records");

	check_number("type", frame->type);
	check_number("stream", frame->stream);
	check_number("length", frame->length);
	if (!records)
		return;
	int r = strcmp(records, "machine") == 0     ? check_machine(frame)
		: strcmp(records, "container") == 0 ? check_container(frame)
		: strcmp(records, "change") == 0    ? check_change(frame)
						    : check_process(frame);
	CHECK((r == 0) == (strcmp(expected("records-expect"), "ok") == 0));
}

static void the_vector_is_decoded_as_it_says(void)
{
	struct frame frame;
	const char *expect = expected("expect");
	/* in a buffer of its own size, so that the sanitizer sees a read beyond it */
	uint8_t *bytes = malloc(vector.size);

	memcpy(bytes, vector.bytes, vector.size);
	long n = frame_parse(bytes, vector.size, &frame);
	CHECK(expect != NULL);
	if (expect && strcmp(expect, "frame") == 0) {
		CHECK(n > 0);
		if (n > 0)
			check_frame(&frame);
	} else {
		CHECK(n == (expect && strcmp(expect, "more") == 0 ? 0 : -EPROTO));
	}
	free(bytes);
}

int main(void)
{
	DIR *dir = opendir(VECTORS);
	struct dirent *entry;
	char path[512];

	while (dir && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".hex") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", VECTORS, entry->d_name);
		if (!read_vector(path))
			vector.keys = 0;
		test(entry->d_name, the_vector_is_decoded_as_it_says);
	}
	if (dir)
		closedir(dir);
	return tests_run > 0 ? tests_end() : 1;
}
