/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/records/container.h"
#include "guest/records/machine.h"
#include "guest/records/process.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static uint8_t bytes[8192];
static size_t used;

static void start(void)
{
	used = 0;
}

static void add(uint16_t tag, const void *value, size_t size)
{
	record_header(bytes + used, tag, (uint32_t)size);
	if (size > 0)
		memcpy(bytes + used + RECORD_HEADER, value, size);
	used += RECORD_HEADER + size;
}

static void add_text(uint16_t tag, const char *text)
{
	add(tag, text, strlen(text));
}

/* In a buffer of its own size, so that the sanitizer sees a read beyond it. */
static int parse_process(struct process *process)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(used + 1);
	memcpy(copy, bytes, used);
	return process_parse(copy, used, process);
}

static void strings_come_out_in_order(void)
{
	struct process process;
	char *argv[4], *envp[3];

	start();
	add_text(RECORD_ENV, "PATH=/bin");
	add_text(RECORD_ARG, "sh");
	add_text(RECORD_ARG, "");
	add_text(RECORD_ENV, "A=b=c");
	add_text(RECORD_ARG, "\xff\xfe");
	CHECK(parse_process(&process) == 0);
	CHECK(process.args == 3 && process.envs == 2);
	process_strings(&process, argv, envp);
	CHECK(strcmp(argv[0], "sh") == 0 && strcmp(argv[1], "") == 0 && strcmp(argv[2], "\xff\xfe") == 0);
	CHECK(!argv[3] && strcmp(envp[0], "PATH=/bin") == 0 && strcmp(envp[1], "A=b=c") == 0 && !envp[2]);
}

static int one_more(uint16_t tag, const void *value, size_t size)
{
	struct process process;

	start();
	add_text(RECORD_ARG, "true");
	add(tag, value, size);
	return parse_process(&process);
}

static void values_of_the_wrong_size_are_refused(void)
{
	static const uint8_t zero[8192];
	static const struct {
		uint16_t tag;
		size_t right;
	} sizes[] = {{RECORD_USER, 8},
		     {RECORD_TERMINAL, 4},
		     {RECORD_STDIN, 1},
		     {RECORD_CAPABILITIES, 40},
		     {RECORD_NO_NEW_PRIVILEGES, 1},
		     {RECORD_RLIMIT, 20},
		     {RECORD_OOM_SCORE_ADJ, 4},
		     {RECORD_INIT, 1},
		     {RECORD_SET_HOME, 1},
		     {RECORD_UMASK, 4},
		     {RECORD_IGNORED_SIGNALS, 8}};
	static const uint8_t member[8] = {2};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (size_t size = 0; size < 48; size++)
			CHECK((one_more(sizes[i].tag, zero, size) == 0) == (size == sizes[i].right));
	for (size_t size = 0; size < sizeof member; size++)
		CHECK((one_more(RECORD_CONTAINER, member, size) == 0) == (size == 5));
	CHECK(one_more(RECORD_GROUPS, zero, 4096) == 0);
	CHECK(one_more(RECORD_GROUPS, zero, 4100) < 0);
	CHECK(one_more(RECORD_GROUPS, zero, 7) < 0);
}

static void values_out_of_bounds_are_refused(void)
{
	const uint8_t two[1] = {2}, umask[4] = {0, 2, 0, 0}, adjust[4] = {0xE9, 3, 0, 0};
	uint8_t limit[20] = {0};

	CHECK(one_more(RECORD_STDIN, two, 1) < 0);
	CHECK(one_more(RECORD_UMASK, umask, 4) < 0);          /* 01000 */
	CHECK(one_more(RECORD_OOM_SCORE_ADJ, adjust, 4) < 0); /* 1001 */
	limit[0] = 16;
	CHECK(one_more(RECORD_RLIMIT, limit, 20) < 0);
	CHECK(one_more(RECORD_CWD, "relative", 8) < 0);
	CHECK(one_more(RECORD_TERMINAL_DEVICE, "\0ttyS0", 6) < 0); /* and no terminal */
	CHECK(one_more(RECORD_CWD, "/a\0b", 4) < 0);
	CHECK(one_more(RECORD_ENV, "A\0=b", 4) < 0);
	CHECK(one_more(RECORD_CONTAINER, "\1\0\0\0\1", 5) < 0); /* the VM's first has no such record */
	CHECK(one_more(RECORD_CONTAINER, "\2\0\0\0\2", 5) < 0);
	CHECK(one_more(RECORD_HOSTNAME, "x", 1) < 0);
}

static int with_device(const char *value, size_t size, struct process *process)
{
	start();
	add_text(RECORD_ARG, "true");
	add(RECORD_TERMINAL, "\30\0\120\0", 4);
	add(RECORD_TERMINAL_DEVICE, value, size);
	return parse_process(process);
}

static void devices_are_names_in_dev(void)
{
	struct process process;

	CHECK(with_device("\1tty1", 5, &process) == 0 && process.direct && strcmp(process.device, "tty1") == 0);
	CHECK(with_device("\0a2345678901234", 15, &process) == 0 && !process.direct);
	CHECK(with_device("\0a23456789012345", 16, &process) == 0 && strlen(process.device) == 15);
	CHECK(with_device("\0a234567890123456", 17, &process) < 0);
	CHECK(with_device("\2tty1", 5, &process) < 0);
	CHECK(with_device("\0", 1, &process) < 0);
	CHECK(with_device("", 0, &process) < 0);
	CHECK(with_device("\0a/b", 4, &process) < 0);
	CHECK(with_device("\0..", 3, &process) < 0);
	CHECK(with_device("\0a\0b", 4, &process) < 0);
	CHECK(with_device("\0\303\244", 3, &process) < 0);
}

static void lists_of_modules_have_plain_names(void)
{
	static const char *const bad[] = {"", "a/b", "..", "A", "a2345678", "abcdefghijklmnop"};
	struct machine machine;
	struct modules_record modules;
	struct record record;
	size_t at = 0;

	start();
	add_text(RECORD_MODULES, "graphics");
	CHECK(machine_parse(bytes, used, &machine) == 0);
	CHECK(machine_next(&machine, RECORD_MODULES, &at, &record) && modules_parse(&record, &modules) == 0);
	CHECK(strcmp(modules.name, "graphics") == 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		start();
		add_text(RECORD_MODULES, bad[i]);
		CHECK(machine_parse(bytes, used, &machine) < 0);
	}
}

static bool takes_device(uint8_t kind, uint32_t mode, const char *path, const char *serial,
			 struct device_record *device)
{
	uint8_t value[256] = {kind};
	struct container container;
	struct record record;
	size_t size = 21, at = 0;

	for (int i = 0; i < 4; i++)
		value[1 + i] = (uint8_t)(mode >> 8 * i);
	value[13] = 10;
	value[17] = 229;
	for (int i = 0; i < 2; i++) {
		const char *text = i == 0 ? path : serial;
		value[size] = (uint8_t)strlen(text);
		memcpy(value + size + 4, text, strlen(text));
		size += 4 + strlen(text);
	}
	start();
	add(RECORD_DEVICE, value, size);
	return container_parse(bytes, used, &container) == 0 &&
	       container_next(&container, RECORD_DEVICE, &at, &record) && device_parse(&record, device) == 0;
}

static void devices_are_below_dev(void)
{
	static const char *const bad[] = {"",        "/dev",    "/dev/",     "/device",  "/etc/passwd",
					  "/dev//x", "/dev/x/", "/dev/../x", "/dev/a/.", "/dev/."};
	struct device_record device;

	CHECK(takes_device(DEVICE_BLOCK, 0660, "/dev/disk/sdz", "device0", &device));
	CHECK(device.mode == 0660 && span_is(device.path, "/dev/disk/sdz") && span_is(device.serial, "device0"));
	CHECK(takes_device(DEVICE_CHARACTER, 0666, "/dev/...", "", &device));
	CHECK(device.major == 10 && device.minor == 229);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!takes_device(DEVICE_BLOCK, 0660, bad[i], "device0", &device));
	CHECK(!takes_device(DEVICE_BLOCK, 0660, "/dev/x", "", &device));
	CHECK(!takes_device(DEVICE_CHARACTER, 0660, "/dev/x", "device0", &device));
	CHECK(!takes_device(3, 0660, "/dev/x", "", &device) && !takes_device(0, 0660, "/dev/x", "", &device));
	CHECK(!takes_device(DEVICE_CHARACTER, 010000, "/dev/x", "", &device));
}

static void limits_are_read_in_order(void)
{
	struct process process;
	struct rlimit_record limit;
	uint8_t value[20];
	size_t at = 0;

	start();
	add_text(RECORD_ARG, "true");
	for (uint32_t i = 0; i < 3; i++) {
		put_u32(value, i);
		put_u64(value + 4, i * 10);
		put_u64(value + 12, UINT64_MAX - i);
		add(RECORD_RLIMIT, value, sizeof value);
	}
	CHECK(parse_process(&process) == 0);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK(process_next_rlimit(&process, &at, &limit));
		CHECK(limit.resource == i && limit.soft == i * 10 && limit.hard == UINT64_MAX - i);
	}
	CHECK(!process_next_rlimit(&process, &at, &limit));
}

static size_t put_string(uint8_t *to, const char *text)
{
	put_u32(to, (uint32_t)strlen(text));
	memcpy(to + 4, text, strlen(text));
	return 4 + strlen(text);
}

static void mounts_are_read(void)
{
	struct container container;
	struct mount_record mount;
	struct record record;
	uint8_t value[256] = {MOUNT_FILESYSTEM};
	size_t size = 9, at = 0;

	start();
	put_u64(value + 1, 14);
	size += put_string(value + size, "/run");
	size += put_string(value + size, "tmpfs");
	size += put_string(value + size, "tmpfs");
	size += put_string(value + size, "size=1m");
	add(RECORD_MOUNT, value, size);
	CHECK(container_parse(bytes, used, &container) == 0);
	CHECK(container_next(&container, RECORD_MOUNT, &at, &record) && mount_parse(&record, &mount) == 0);
	CHECK(mount.flags == 14 && span_is(mount.target, "/run") && span_is(mount.data, "size=1m"));
	CHECK(!container_next(&container, RECORD_MOUNT, &at, &record));
	for (size_t cut = 0; cut < size; cut++) {
		start();
		add(RECORD_MOUNT, value, cut);
		CHECK(container_parse(bytes, used, &container) < 0);
	}
	value[0] = MOUNT_OF_POD + 1;
	start();
	add(RECORD_MOUNT, value, size);
	CHECK(container_parse(bytes, used, &container) < 0);
}

static void the_machine_and_the_container_have_records_of_their_own(void)
{
	struct machine machine;
	struct container container;

	start();
	add(RECORD_ROOT, "\1", 1);
	CHECK(machine_parse(bytes, used, &machine) < 0 && container_parse(bytes, used, &container) == 0);
	CHECK(container.read_only_root && container.cgroups == CGROUPS_V2);
	start();
	add_text(RECORD_HOSTNAME, "web");
	CHECK(machine_parse(bytes, used, &machine) == 0 && container_parse(bytes, used, &container) < 0);
}

static void a_path_that_is_mounted_on_is_known(void)
{
	struct container container;
	uint8_t value[256] = {MOUNT_SLOT};
	size_t size = 9;

	start();
	size += put_string(value + size, "/sys/fs/cgroup");
	size += put_string(value + size, "1");
	size += put_string(value + size, "");
	size += put_string(value + size, "");
	add(RECORD_MOUNT, value, size);
	CHECK(container_parse(bytes, used, &container) == 0);
	CHECK(container_mounts_on(&container, "/sys/fs/cgroup"));
	CHECK(!container_mounts_on(&container, "/sys/fs") && !container_mounts_on(&container, "/sys/fs/cgroup/x"));
}

static void random_records_are_read_or_refused(void)
{
	uint32_t state = 11;
	uint8_t value[64];

	for (int round = 0; round < 20000; round++) {
		struct machine machine;
		struct container container;
		struct process process;
		start();
		for (uint32_t n = next_random(&state) % 4; n > 0; n--) {
			size_t size = next_random(&state) % sizeof value;
			for (size_t i = 0; i < size; i++)
				value[i] = next_random(&state) % 2 ? (uint8_t)(next_random(&state) % 8)
								   : (uint8_t)next_random(&state);
			uint16_t tag = (uint16_t)(next_random(&state) % 2 ? next_random(&state) % 17
									  : 100 + next_random(&state) % 30);
			add(tag, value, size);
		}
		if (used > 0 && next_random(&state) % 4 == 0)
			used -= next_random(&state) % used;
		uint8_t *copy = malloc(used + 1);
		memcpy(copy, bytes, used);
		machine_parse(copy, used, &machine);
		container_parse(copy, used, &container);
		if (process_parse(copy, used, &process) == 0) {
			char **argv = calloc(process.args + 1, sizeof *argv),
			     **envp = calloc(process.envs + 1, sizeof *envp);
			process_strings(&process, argv, envp);
			for (uint32_t i = 0; i < process.args; i++)
				CHECK(strlen(argv[i]) <= used);
			free(argv);
			free(envp);
		}
		free(copy);
	}
}

static int parse_change(uint16_t tag, size_t size)
{
	static const uint8_t zero[64];
	struct machine machine;
	uint8_t *copy;

	start();
	add(tag, zero, size);
	copy = malloc(used);
	memcpy(copy, bytes, used);
	int r = machine_parse_change(copy, used, &machine);
	free(copy);
	return r;
}

static void what_is_gone_has_its_size(void)
{
	uint8_t address[40] = {[6] = 4, [7] = 24}, route[46] = {[6] = 6, [7] = 128};
	struct machine machine;

	for (size_t size = 0; size < 48; size++)
		CHECK((parse_change(RECORD_NIC_GONE, size) == 0) == (size == 6));
	CHECK(parse_change(RECORD_ADDRESS_GONE, 40) < 0); /* of family 0 */
	start();
	add(RECORD_ADDRESS_GONE, address, sizeof address);
	add(RECORD_ROUTE_GONE, route, sizeof route);
	CHECK(machine_parse_change(bytes, used, &machine) == 0);
	/* there is nothing to go when the machine is set up */
	CHECK(machine_parse(bytes, used, &machine) < 0);
}

static void a_change_is_of_the_network_only(void)
{
	struct machine machine;

	start();
	add_text(RECORD_HOSTNAME, "x");
	CHECK(machine_parse(bytes, used, &machine) == 0 && machine_parse_change(bytes, used, &machine) < 0);
	start();
	add_text(RECORD_SYSCTL, "net/ipv6/conf/eth1/disable_ipv6=1");
	CHECK(machine_parse_change(bytes, used, &machine) == 0);
	start();
	CHECK(machine_parse_change(bytes, used, &machine) == 0);
}

int main(void)
{
	test("strings come out in order", strings_come_out_in_order);
	test("values of the wrong size are refused", values_of_the_wrong_size_are_refused);
	test("values out of bounds are refused", values_out_of_bounds_are_refused);
	test("devices are names in /dev", devices_are_names_in_dev);
	test("lists of modules have plain names", lists_of_modules_have_plain_names);
	test("devices are below /dev", devices_are_below_dev);
	test("limits are read in order", limits_are_read_in_order);
	test("mounts are read", mounts_are_read);
	test("the machine and the container have records of their own",
	     the_machine_and_the_container_have_records_of_their_own);
	test("a path that is mounted on is known", a_path_that_is_mounted_on_is_known);
	test("random records are read or refused", random_records_are_read_or_refused);
	test("what is gone has its size", what_is_gone_has_its_size);
	test("a change is of the network only", a_change_is_of_the_network_only);
	return tests_end();
}
