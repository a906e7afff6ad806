/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor may have started, and as whom: nothing else is read. */
#include "sandbox/init/starter_request.h"

#include "common/rights.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static char bytes[1024];
static size_t size;
static struct starter_request request;

static void put(const char *text, size_t length)
{
	memcpy(bytes + size, text, length);
	size += length;
}

static void put_text(const char *text)
{
	put(text, strlen(text) + 1);
}

static void begin(char kind, char flags, char descriptors, char arguments, char variables)
{
	const char header[] = {kind, flags, descriptors, arguments, 0, variables, 0};

	size = 0;
	put(header, sizeof header);
}

/* In memory of just that size, so that the sanitizer sees a read beyond it. */
static bool read_part(size_t length)
{
	static char *copy;

	free(copy); /* the request's texts lie in it */
	copy = malloc(length ? length : 1);
	memcpy(copy, bytes, length);
	return starter_request_read(&request, copy, length);
}

static void machine(void)
{
	begin(STARTER_QEMU, STARTER_TERMINAL, 2, 2, 1);
	put("\1\12", 2);
	put_text("/run/dkvm/agent.sock");
	put("\4\24", 2);
	put_text("/share/root");
	put_text("/disk");
	put_text("/usr/bin/qemu-system-x86_64");
	put_text("-nodefaults");
	put_text("TERM=xterm");
}

static void a_request_is_read(void)
{
	machine();
	CHECK(read_part(size));
	CHECK(request.kind == STARTER_QEMU && request.terminal && request.descriptor_count == 2);
	CHECK(request.descriptors[0].how == STARTER_CONNECT && request.descriptors[0].number == 10);
	CHECK(request.descriptors[1].how == STARTER_DISK && strcmp(request.descriptors[1].root, "/share/root") == 0);
	CHECK(strcmp(request.descriptors[1].path, "/disk") == 0);
	CHECK(strcmp(request.arguments[1], "-nodefaults") == 0 && !request.arguments[2]);
	CHECK(request.variable_count == 1 && strcmp(request.variables[0], "TERM=xterm") == 0);
}

static void what_is_cut_or_too_long_is_refused(void)
{
	machine();
	for (size_t length = 0; length < size; length++)
		CHECK(!read_part(length));
	bytes[size] = 0;
	CHECK(!read_part(size + 1));
}

static bool starts(char kind, const char *program)
{
	begin(kind, 0, 0, 1, 0);
	put_text(program);
	return read_part(size);
}

static void each_kind_is_one_program(void)
{
	CHECK(starts(STARTER_VIRTIOFSD, "/usr/libexec/virtiofsd"));
	CHECK(starts(STARTER_DISKS, "/opt/dkvm/dkvm-disk"));
	CHECK(starts(STARTER_WEB, "/opt/dkvm/dkvm-web"));
	CHECK(!starts(STARTER_VIRTIOFSD, "/usr/bin/qemu-system-x86_64"));
	CHECK(!starts(STARTER_DISKS, "/usr/bin/busybox"));
	CHECK(!starts(STARTER_QEMU, "/usr/bin/qemu-img"));
	CHECK(!starts(STARTER_QEMU, "/usr/bin/qemu-system-/../busybox"));
	CHECK(!starts(STARTER_KINDS, "/usr/libexec/virtiofsd"));
}

static bool with_variable(const char *variable)
{
	begin(STARTER_QEMU, 0, 0, 1, 1);
	put_text("/usr/bin/qemu-system-x86_64");
	put_text(variable);
	return read_part(size);
}

static void no_variable_but_the_terminals(void)
{
	CHECK(with_variable("TERMINFO=b64:xyz"));
	CHECK(!with_variable("LD_PRELOAD=/vm/evil.so") && !with_variable("PATH=/vm") && !with_variable(""));
}

static bool with_descriptor(char how, char number, const char *path)
{
	begin(STARTER_QEMU, 0, 1, 1, 0);
	put(&how, 1);
	put(&number, 1);
	put_text(path);
	put_text("/usr/bin/qemu-system-x86_64");
	return read_part(size);
}

static void descriptors_are_checked(void)
{
	CHECK(with_descriptor(STARTER_READ, 3, "/a") && with_descriptor(STARTER_WRITE, 99, "/a"));
	CHECK(!with_descriptor(STARTER_READ, 2, "/a") && !with_descriptor(STARTER_READ, 100, "/a"));
	CHECK(!with_descriptor(STARTER_READ, 3, "a") && !with_descriptor(0, 3, "/a") && !with_descriptor(7, 3, "/a"));
}

static bool with_disk(const char *root)
{
	const char how = STARTER_DISK, number = 20;

	begin(STARTER_QEMU, 0, 1, 1, 0);
	put(&how, 1);
	put(&number, 1);
	put_text(root);
	put_text("/disk");
	put_text("/usr/bin/qemu-system-x86_64");
	return read_part(size);
}

static void a_disk_lies_in_a_slot(void)
{
	CHECK(with_disk("/share") && with_disk("/share/f2") && with_disk("/disks") && with_disk("/disks/1"));
	CHECK(!with_disk("/proc/21") && !with_disk("/") && !with_disk("/sharex") && !with_disk("/disks/"));
	CHECK(!with_disk("/share/root/link") && !with_disk("/share/..") && !with_disk("/share/root/"));
}

static void rights_are_read(void)
{
	struct rights rights;

	CHECK(rights_parse(&rights, "2130000000:7:880000db") && rights.uid == 2130000000 && rights.gid == 7);
	CHECK(rights.capabilities == 0x880000DB);
	CHECK(!rights_parse(&rights, "4294967295:0:0") && !rights_parse(&rights, "-1:0:0"));
	CHECK(!rights_parse(&rights, "0:0") && !rights_parse(&rights, "0:0:") && !rights_parse(&rights, "0:0:0x"));
}

static void noise_is_refused_or_read_within_bounds(void)
{
	uint32_t state = 4711;

	for (int round = 0; round < 20000; round++) {
		machine();
		for (int i = 0; i < 4; i++)
			bytes[next_random(&state) % size] = (char)next_random(&state);
		if (read_part(size))
			CHECK(request.descriptor_count <= LAUNCH_HANDED && request.arguments[0][0] == '/');
	}
}

int main(void)
{
	test("a request is read", a_request_is_read);
	test("what is cut or too long is refused", what_is_cut_or_too_long_is_refused);
	test("each kind is one program", each_kind_is_one_program);
	test("no variable but the terminal's", no_variable_but_the_terminals);
	test("descriptors are checked", descriptors_are_checked);
	test("a disk lies in a slot", a_disk_lies_in_a_slot);
	test("rights are read", rights_are_read);
	test("noise is refused or read within bounds", noise_is_refused_or_read_within_bounds);
	return tests_end();
}
