/* SPDX-License-Identifier: Apache-2.0 */
/* What is pure of a pod's members. */
#include "guest/kernel/group.h"
#include "guest/kernel/mountlist.h"
#include "guest/kernel/sharepath.h"
#include "guest/process/members.h"
#include "guest/records/container.h"
#include "sandbox/share/slots.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static struct span text(const char *words)
{
	return (struct span){(const uint8_t *)words, strlen(words)};
}

static void slots_are_names_or_paths_in_the_pods_directory(void)
{
	static const char *const wrong[] = {"",
					    ".",
					    "..",
					    "a/b",
					    "/",
					    "pod",
					    "pod/",
					    "pod/2",
					    "pod/2/",
					    "pod//root",
					    "pod/2/..",
					    "pod/../2",
					    "pod/2/a/b",
					    "pod/./root",
					    "pod/volumes",
					    "pod/volumes/",
					    "pod/volumes/..",
					    "pod/volumes/a/b",
					    ".pod/2/root",
					    "pod/2/root/"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK(slot_kind(text(wrong[i])) == SLOT_NONE);
	CHECK(slot_kind(text("root")) == SLOT_OF_FIRST && slot_kind(text("f4")) == SLOT_OF_FIRST);
	CHECK(slot_kind(text("pod/2/root")) == SLOT_OF_MEMBER && slot_kind(text("pod/17/f3")) == SLOT_OF_MEMBER);
	CHECK(slot_kind(text("pod/volumes/a.b")) == SLOT_OF_POD);
	CHECK(slot_kind((struct span){(const uint8_t *)"ro\0t", 4}) == SLOT_NONE);
}

static bool names(const char *path, const char *slot, const char *rest)
{
	char found[SLOT_MOST + 1];
	const char *below;

	return slots_name(path, found, &below) && strcmp(found, slot) == 0 && strcmp(below, rest) == 0;
}

static void a_guest_names_slots_of_members_and_their_volumes(void)
{
	static const char *const wrong[] = {
		"/pod",           "/pod/2",       "/pod/2/",       "/pod/2/root",     "/pod/2/root/etc",
		"/pod/f2/3",      "/pod/volumes", "/pod/volumes/", "/pod/volumes/..", "/pod/volumes/../2",
		"/pod/volumes/A", "/pod/2/..",    "/pod/2/../3/4", "/pod//2/3",       "/pod/volumes//x",
		"/root",          "pod/2/3",      "/pod/2/x3",     "/pod/2/3x",       "/pod/12345678901/3",
	};
	char found[SLOT_MOST + 1], longest[SLOT_MOST + 32];
	const char *below;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK(!slots_name(wrong[i], found, &below));
	CHECK(names("/3", "3", "") && names("/f3", "f3", "") && names("/3/a/b", "3", "a/b"));
	CHECK(names("/pod/2/3", "pod/2/3", "") && names("/pod/2/f3", "pod/2/f3", ""));
	CHECK(names("/pod/2/3/a", "pod/2/3", "a") && names("/pod/volumes/0a.b/x/y", "pod/volumes/0a.b", "x/y"));
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memcpy(longest, "/pod/volumes/", 13);
	CHECK(!slots_name(longest, found, &below));
	longest[SLOT_MOST + 1] = '\0';
	CHECK(slots_name(longest, found, &below) && strcmp(found, longest + 1) == 0);
}

static bool is_root(const char *path)
{
	return share_path_is_root((const uint8_t *)path, strlen(path));
}

static void what_is_in_a_members_root_is_the_vms_own(void)
{
	CHECK(is_root("/pod/2/root") && is_root("/pod/20/root/etc/passwd"));
	CHECK(!is_root("/pod/2/roots") && !is_root("/pod/2/roo") && !is_root("/pod//root") && !is_root("/pod/x/root"));
	CHECK(!is_root("/pod/2/3") && !is_root("/pod/volumes/root") && !is_root("/2/root") && !is_root(""));
}

static void memory_events_tell_of_a_kill_for_memory(void)
{
	CHECK(group_ran_out("low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 0\n"));
	CHECK(group_ran_out("oom_kill 12"));
	CHECK(!group_ran_out("low 0\nmax 31\noom 2\noom_kill 0\noom_group_kill 7\n"));
	CHECK(!group_ran_out("") && !group_ran_out("oom_kill"));
}

static void mount_points_are_read_with_their_escapes(void)
{
	static char *points[MOUNTS_MAX];
	char info[] = "22 1 0:2 / / rw - rootfs none rw\n23 22 0:3 / /a\\040b rw,relatime - tmpfs t rw\nshort line\n";

	CHECK(mount_points(info, points) == 2);
	CHECK(strcmp(points[0], "/") == 0 && strcmp(points[1], "/a b") == 0);
}

static uint8_t records[256];

static size_t put(size_t at, uint16_t tag, const void *value, size_t size)
{
	record_header(records + at, tag, (uint32_t)size);
	memcpy(records + at + RECORD_HEADER, value, size);
	return at + RECORD_HEADER + size;
}

static size_t put_string(uint8_t *to, const char *words)
{
	put_u32(to, (uint32_t)strlen(words));
	memcpy(to + 4, words, strlen(words));
	return 4 + strlen(words);
}

/* Records with a mount only are those of the VM's first container, unless the mount is a member's. */
static bool takes_mount(uint8_t kind, const char *source, const char *type, const char *data, bool *first)
{
	struct container container;
	uint8_t value[200] = {kind};
	size_t size = 9;

	size += put_string(value + size, "/m");
	size += put_string(value + size, source);
	size += put_string(value + size, type);
	size += put_string(value + size, data);
	if (container_parse(records, put(0, RECORD_MOUNT, value, size), &container) < 0)
		return false;
	*first = container_fits_first(&container);
	return true;
}

static void a_pods_filesystem_is_a_name_and_a_path_in_it(void)
{
	static const char *const bad[] = {"", "/", "a/", "/a", ".a", "a//b", "a/../b", "a/.", "a/b/", "A", "a/b/.."};
	static const char *const good[] = {"shm", "a-1.b", "a/Any thing/..."};
	struct span name, path;
	bool first;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!takes_mount(MOUNT_OF_POD, bad[i], "tmpfs", "", &first));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK(takes_mount(MOUNT_OF_POD, good[i], "tmpfs", "", &first));
	CHECK(pod_source_parse(text("m/a/b"), &name, &path) == 0 && span_is(name, "m") && span_is(path, "a/b"));
	CHECK(pod_source_parse(text("m"), &name, &path) == 0 && span_is(name, "m") && path.size == 0);
	CHECK(pod_source_parse((struct span){(const uint8_t *)"m/a\0b", 5}, &name, &path) < 0);
}

static void a_part_of_a_volume_is_an_inode_and_a_path(void)
{
	static const char *const bad[] = {"",     "1",        "1 ",   " a",  "a",
					  "1 /a", "1 a/../b", "1 a/", "x a", "123456789012345678901 a"};
	static const char *const elsewhere[] = {"all", "pod/2/3", "pod/volumes/../a", "pod/volumes"};
	static const char slot[] = "pod/volumes/part", volume[] = "pod/volumes/all";
	bool first = true;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!takes_mount(MOUNT_SLOT, slot, volume, bad[i], &first));
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
		CHECK(!takes_mount(MOUNT_SLOT, slot, elsewhere[i], "1 a", &first));
	CHECK(takes_mount(MOUNT_SLOT, slot, volume, "18446744073709551615 a b/c d", &first) && !first);
	CHECK(takes_mount(MOUNT_SLOT, slot, "", "", &first) && first);
}

static size_t with_root(void)
{
	return put(0, RECORD_ROOT_SLOT, "pod/2/root", 10);
}

static void a_container_is_begun_once(void)
{
	struct member *member = NULL, *again = NULL;
	size_t size = with_root();

	CHECK(members_begin(2, &member) == MEMBER_WRONG && members_find(2, &member) == MEMBER_WRONG);
	CHECK(members_add_records(1, records, size) == -EPROTO && members_add_records(0, records, size) == -EPROTO);
	CHECK(members_add_records(MEMBER_NUMBERS, records, size) == -EPROTO);
	CHECK(members_add_records(2, records, 3) == 0 && members_add_records(2, records + 3, size - 3) == 0);
	CHECK(members_find(2, &member) == MEMBER_WRONG);
	CHECK(members_begin(2, &member) == MEMBER_GO && member->number == 2);
	CHECK(members_begin(2, &again) == MEMBER_WRONG && members_add_records(2, records, size) == -EPROTO);
	CHECK(members_find(2, &again) == MEMBER_WAIT);
	member->up = true;
	CHECK(members_find(2, &again) == MEMBER_GO && again == member);
	member->ended = true;
	CHECK(members_find(2, &again) == MEMBER_GONE);
	member_release(member);
	CHECK(members_find(2, &again) == MEMBER_GONE && members_begin(2, &again) == MEMBER_WRONG);
	CHECK(members_add_records(2, records, size) == -EPROTO);
}

static void so_many_run_at_one_time_and_no_more(void)
{
	struct member *all[MEMBERS_MAX], *more;
	size_t size = with_root();

	for (uint32_t i = 0; i < MEMBERS_MAX; i++)
		CHECK(members_add_records(100 + i, records, size) == 0 && members_begin(100 + i, &all[i]) == MEMBER_GO);
	CHECK(members_add_records(99, records, size) == 0 && members_begin(99, &more) == MEMBER_TOO_MANY);
	CHECK(members_find(99, &more) == MEMBER_GONE);
	member_release(all[0]);
	CHECK(members_add_records(98, records, size) == 0 && members_begin(98, &all[0]) == MEMBER_GO);
	for (int i = 0; i < MEMBERS_MAX; i++)
		member_release(all[i]);
}

static void what_waits_to_be_begun_is_bounded(void)
{
	static uint8_t much[CONTAINER_MAX_RECORDS + 1];
	struct member *member;
	uint32_t number = 1000;

	CHECK(members_add_records(number, much, sizeof much) == -EPROTO);
	for (; number < 1000 + MEMBERS_MAX_RECORDS / CONTAINER_MAX_RECORDS; number++)
		CHECK(members_add_records(number, much, CONTAINER_MAX_RECORDS) == 0);
	CHECK(members_add_records(number, much, 1) == -EPROTO);
	CHECK(members_begin(1000, &member) == MEMBER_WRONG); /* these are no records */
}

static bool fits_member(const void *value, uint16_t tag, size_t size)
{
	struct container container;
	size_t end = put(with_root(), tag, value, size);

	return container_parse(records, end, &container) == 0 && container_fits_member(&container);
}

static void the_first_and_further_containers_have_records_of_their_own(void)
{
	static const uint8_t socket_mount[] = "\4\0\0\0\0\0\0\0\0\2\0\0\0/s\1\0\0\0"
					      "0\0\0\0\0\0\0\0\0";
	struct container container;

	CHECK(container_parse(records, with_root(), &container) == 0);
	CHECK(container_fits_member(&container) && !container_fits_first(&container));
	CHECK(container_parse(records, 0, &container) == 0);
	CHECK(!container_fits_member(&container) && container_fits_first(&container));
	CHECK(container_parse(records, put(0, RECORD_PID_NAMESPACE, "\1", 1), &container) == 0);
	CHECK(!container_fits_first(&container));
	CHECK(container_parse(records, put(0, RECORD_IPC_NAMESPACE, "\1", 1), &container) == 0);
	CHECK(!container_fits_first(&container) && container.own_ipc);
	CHECK(container_parse(records, put(0, RECORD_HOST_NAME, "named", 5), &container) == 0);
	CHECK(!container_fits_first(&container) && span_is(container.host_name, "named"));
	CHECK(container_parse(records, put(0, RECORD_HOST_NAME, "a\0b", 3), &container) == -EPROTO);
	CHECK(fits_member("\1", RECORD_IPC_NAMESPACE, 1) && !fits_member("\2", RECORD_IPC_NAMESPACE, 1));
	CHECK(fits_member("\2", RECORD_CGROUPS, 1) && fits_member("\0", RECORD_CGROUPS, 1));
	CHECK(!fits_member("\1", RECORD_CGROUPS, 1) && !fits_member("\3", RECORD_CGROUPS, 1));
	CHECK(!fits_member(socket_mount, RECORD_MOUNT, sizeof socket_mount - 1));
}

static void none_is_begun_any_more_once_the_first_has_ended(void)
{
	struct member *member = NULL, *late;
	size_t size = with_root();

	CHECK(!members_are_there());
	CHECK(members_add_records(50, records, size) == 0 && members_begin(50, &member) == MEMBER_GO);
	members_close();
	CHECK(members_are_there());
	CHECK(members_add_records(51, records, size) == 0 && members_begin(51, &late) == MEMBER_TOO_LATE);
	member_release(member);
	CHECK(!members_are_there());
}

int main(void)
{
	test("slots are names, or paths in the pod's directory", slots_are_names_or_paths_in_the_pods_directory);
	test("a guest names slots of members, and their volumes", a_guest_names_slots_of_members_and_their_volumes);
	test("what is in a member's root is the VM's own", what_is_in_a_members_root_is_the_vms_own);
	test("a pod's filesystem is a name, and a path in it", a_pods_filesystem_is_a_name_and_a_path_in_it);
	test("a part of a volume is an inode and a path", a_part_of_a_volume_is_an_inode_and_a_path);
	test("memory.events tell of a kill for memory", memory_events_tell_of_a_kill_for_memory);
	test("mount points are read with their escapes", mount_points_are_read_with_their_escapes);
	test("the first container and further ones have records of their own",
	     the_first_and_further_containers_have_records_of_their_own);
	test("a container is begun once", a_container_is_begun_once);
	test("so many run at one time, and no more", so_many_run_at_one_time_and_no_more);
	test("none is begun any more once the first has ended", none_is_begun_any_more_once_the_first_has_ended);
	test("what waits to be begun is bounded", what_waits_to_be_begun_is_bounded);
	return tests_end();
}
