/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent tells of the guest's processes, out of a /proc that a test has written. */
#include "common/frame.h"
#include "guest/process/usage.h"
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/dkvm-usage-XXXXXX";
static char passwd[64];
static struct usage_view view;
static uint8_t bytes[USAGE_MAX];

static void put(const char *path, const char *text, size_t size)
{
	int fd = openat(view.proc, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	if (fd >= 0)
		close(fd);
}

static void process(const char *pid, const char *stat, const char *status, const char *command, size_t size)
{
	char path[64];

	mkdirat(view.proc, pid, 0700);
	snprintf(path, sizeof path, "%s/stat", pid);
	put(path, stat, strlen(stat));
	snprintf(path, sizeof path, "%s/status", pid);
	put(path, status, strlen(status));
	snprintf(path, sizeof path, "%s/cmdline", pid);
	put(path, command, size);
}

static void make_machine(void)
{
	static const char stat[] = "cpu  10 2 30 400 50 6 7 8 0 0\ncpu0 1 1 1\ncpu1 1 1 1\nintr 9 cpu\n";
	static const char memory[] = "MemTotal:  2048 kB\nMemFree: 9 kB\nMemAvailable:   1024 kB\n";
	static const char users[] = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n";

	snprintf(passwd, sizeof passwd, "%s/passwd", root);
	view = (struct usage_view){open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), passwd, false, 4};
	put("passwd", users, strlen(users));
	put("stat", stat, strlen(stat));
	put("meminfo", memory, strlen(memory));
	process("1", "1 (init) S 0 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 5 100 9 0\n",
		"Name:\tinit\nUid:\t0\t0\t0\t0\nNSpid:\t1\n", "/init", 6);
	process("2", "2 (kthreadd) S 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0\n",
		"Name:\tkthreadd\nUid:\t0\t0\t0\t0\nNSpid:\t2\n", "", 0);
	process("3", "3 (kworker/0:0) I 2 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0\n",
		"Name:\tkworker/0:0\nUid:\t0\t0\t0\t0\nNSpid:\t3\n", "", 0);
	process("4", "4 (agent) S 1 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0\n",
		"Name:\tagent\nUid:\t0\t0\t0\t0\nNSpid:\t4\n", "agent", 6);
	process("70", "70 (a) R (b) Z 1 70 70 0 -1 0 0 0 0 0 100 23 0 0 20 0 1 0 5 100 2 0\n",
		"Name:\ta) R (b\nUid:\t0\t33\t0\t0\nNSpid:\t70\t1\n", "nginx\0-g\0x y\0\0", 14);
	process("71", "71 (gone) Z 70 70 70 0 -1 0 0 0 0 0 1 0 0 0 20 0 1 0 5 0 0 0\n",
		"Name:\tgone\nUid:\t0\t4294967294\t0\t0\nNSpid:\t71\t8\t2\n", "", 0);
	process("72", "72 no process", "Uid:\n", "x", 1);
	mkdirat(view.proc, "73", 0700);
}

static const uint8_t *find(ssize_t size, uint32_t pid)
{
	const uint8_t *at = bytes + USAGE_FIXED;

	while (at < bytes + size) {
		if (get_u32(at) == pid)
			return at;
		at += 26 + at[25];
		at += 1 + at[0];
	}
	return NULL;
}

static bool text_is(const uint8_t *at, const char *text)
{
	return at[0] == strlen(text) && memcmp(at + 1, text, at[0]) == 0;
}

static void the_machine_is_told_in_bytes_and_nanoseconds(void)
{
	ssize_t n = usage_read(&view, bytes, sizeof bytes);

	CHECK(n > USAGE_FIXED);
	CHECK(get_u64(bytes) > 0);
	CHECK(get_u64(bytes + 8) == (10 + 2 + 30 + 6 + 7 + 8) * 10000000ull);
	CHECK(get_u64(bytes + 16) == 2048 * 1024 && get_u64(bytes + 24) == 1024 * 1024);
	CHECK(get_u32(bytes + 32) == 2);
}

static void the_workloads_processes_have_its_pids_and_users(void)
{
	ssize_t n = usage_read(&view, bytes, sizeof bytes);

	CHECK(get_u32(bytes + 36) == 2);
	const uint8_t *first = find(n, 1);
	CHECK(first && get_u32(first + 4) == 33 && first[8] == 'Z');
	CHECK(first && get_u64(first + 9) == 1230000000ull);
	CHECK(first && get_u64(first + 17) == 2 * (uint64_t)sysconf(_SC_PAGESIZE));
	CHECK(first && text_is(first + 25, "www") && text_is(first + 29, "nginx -g x y"));
	const uint8_t *second = find(n, 8);
	CHECK(second && text_is(second + 25, "4294967294") && text_is(second + 36, "[gone]"));
}

static void with_systemd_they_are_all_but_the_kernels_and_the_agent(void)
{
	view.machine = true;
	ssize_t n = usage_read(&view, bytes, sizeof bytes);
	view.machine = false;

	CHECK(get_u32(bytes + 36) == 3);
	CHECK(find(n, 1) && find(n, 70) && find(n, 71));
	CHECK(!find(n, 2) && !find(n, 3) && !find(n, 4));
}

static void what_has_no_room_is_counted(void)
{
	for (size_t size = USAGE_FIXED; size < 200; size++) {
		memset(bytes, 0xee, sizeof bytes);
		ssize_t n = usage_read(&view, bytes, size);
		CHECK(n >= USAGE_FIXED && n <= (ssize_t)size);
		CHECK(get_u32(bytes + 36) == 2);
		CHECK(bytes[size] == 0xee);
	}
}

static void long_commands_are_cut(void)
{
	char command[4000];

	memset(command, 'x', sizeof command);
	process("70", "70 (a) S 1 70 70 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 100 2 0\n",
		"Name:\ta\nUid:\t0\t33\t0\t0\nNSpid:\t70\t1\n", command, sizeof command);
	const uint8_t *first = find(usage_read(&view, bytes, sizeof bytes), 1);
	CHECK(first && first[29] == USAGE_TEXT && first[30] == 'x' && first[29 + USAGE_TEXT] == 'x');
}

static void without_proc_nothing_is_told(void)
{
	unlinkat(view.proc, "stat", 0);
	CHECK(usage_read(&view, bytes, sizeof bytes) < 0);
}

int main(void)
{
	char remove[64];

	if (!mkdtemp(root))
		return 1;
	test("a /proc is made", make_machine);
	test("the machine is told in bytes and nanoseconds", the_machine_is_told_in_bytes_and_nanoseconds);
	test("the workload's processes have its pids and users", the_workloads_processes_have_its_pids_and_users);
	test("with systemd they are all but the kernel's and the agent",
	     with_systemd_they_are_all_but_the_kernels_and_the_agent);
	test("what has no room is counted", what_has_no_room_is_counted);
	test("long commands are cut", long_commands_are_cut);
	test("without /proc nothing is told", without_proc_nothing_is_told);
	snprintf(remove, sizeof remove, "rm -rf %s", root);
	return system(remove) == 0 ? tests_end() : 1;
}
