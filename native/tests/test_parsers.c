/* SPDX-License-Identifier: Apache-2.0 */
/* The small parsers of files and messages that a guest may have written. */
#include "guest/session/awaited.h"
#include "guest/setup/devname.h"
#include "guest/network/dnsmessage.h"
#include "guest/early.h"
#include "guest/disks/fstab.h"
#include "guest/setup/ownfiles.h"
#include "guest/process/kill.h"
#include "guest/process/passwd.h"
#include "guest/kernel/system.h"
#include "guest/process/sysinit.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct early early; /* of the agent; no test here uses it */

static char home[64];

static bool home_is(const char *line, uint32_t uid, const char *expected)
{
	memset(home, 0, sizeof home);
	return passwd_line_home(line, uid, home, sizeof home) && strcmp(home, expected) == 0;
}

static void the_home_is_found_by_uid(void)
{
	CHECK(home_is("root:x:0:0:root:/root:/bin/sh", 0, "/root"));
	CHECK(home_is("u:x:1000:1000::/home/u:", 1000, "/home/u"));
	CHECK(home_is("u:x:1000:1000::/home/u", 1000, "/home/u"));
	CHECK(home_is("u:x:1000:1000:::", 1000, ""));
	CHECK(home_is("big:x:4294967295:0::/big:", 4294967295u, "/big"));
}

static void lines_that_are_not_users_are_passed_over(void)
{
	static const char *const lines[] = {"",
					    ":",
					    "::::::",
					    "root",
					    "root:x:0",
					    "root:x:0:0:root",
					    "root:x::0:root:/root:",
					    "root:x:-0:0:r:/root:",
					    "root:x:+0:0:r:/root:",
					    "root:x: 0:0:r:/root:",
					    "root:x:0x0:0:r:/root:",
					    "root:x:4294967296:0:r:/root:",
					    "root:x:99999999999999999999999:0:r:/root:"};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		CHECK(!passwd_line_home(lines[i], 0, home, sizeof home));
	CHECK(!passwd_line_home("r:x:0:0::/a-home-that-does-not-fit-into-the-place-there-is-for-it-because-it-is-long:",
				0, home, sizeof home));
}

static void home_of(const char *content, size_t size, uint32_t uid)
{
	char path[] = "/tmp/dkvm-passwd-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, content, size) == (ssize_t)size);
	close(fd);
	passwd_home(path, uid, home, sizeof home);
	unlink(path);
}

static void a_file_is_read_line_by_line(void)
{
	static char content[3 * 4096];
	const char *users = "root:x:0:0:root:/root:/bin/sh\n\nbad\nu:x:5:5::/home/u:/bin/sh\nlast:x:6:6::/last:";

	home_of(users, strlen(users), 5);
	CHECK(strcmp(home, "/home/u") == 0);
	home_of(users, strlen(users), 6);
	CHECK(strcmp(home, "/last") == 0);
	home_of(users, strlen(users), 7);
	CHECK(strcmp(home, "/") == 0);
	passwd_home("/nonexistent/passwd", 0, home, sizeof home);
	CHECK(strcmp(home, "/") == 0);
	/* a long line hides neither the next one nor a user inside it */
	memset(content, 'x', sizeof content);
	memcpy(content + 2000, ":x:5:5::/inside:", 16);
	memcpy(content + 5000, "\nu:x:5:5::/home/u:\n", 19);
	home_of(content, sizeof content, 5);
	CHECK(strcmp(home, "/home/u") == 0);
}

static bool resolv_names(const char *text, const char *server)
{
	struct span name;

	while (resolv_next(&text, &name))
		if (span_is(name, server))
			return true;
	return false;
}

static void random_lines_do_no_harm(void)
{
	static const char letters[] = "::::x05/\n";
	uint32_t state = 5;
	char line[80];

	for (int round = 0; round < 20000; round++) {
		size_t size = next_random(&state) % sizeof line;
		for (size_t i = 0; i < size; i++)
			line[i] = letters[next_random(&state) % (sizeof letters - 1)];
		line[size ? size - 1 : 0] = '\0';
		passwd_line_home(line, 5, home, sizeof home);
		resolv_names(line, "5");
		exit_code_parse(line, 255);
	}
}

static void exit_codes_are_decimal_and_bounded(void)
{
	CHECK(exit_code_parse("0", 255) == 0);
	CHECK(exit_code_parse("255\n", 255) == 255);
	CHECK(exit_code_parse("007 \t\r\n", 127) == 7);
	CHECK(exit_code_parse("256", 255) < 0);
	CHECK(exit_code_parse("128", 127) < 0);
	CHECK(exit_code_parse("99999999999", 255) < 0);
	CHECK(exit_code_parse("", 255) < 0);
	CHECK(exit_code_parse("-1", 255) < 0);
	CHECK(exit_code_parse(" 1", 255) < 0);
	CHECK(exit_code_parse("1x", 255) < 0);
}

static bool sysctl_becomes(const char *name, const char *path)
{
	char buffer[128];

	snprintf(buffer, sizeof buffer, "%s", name);
	return sysctl_path(buffer) == 0 && strcmp(buffer, path) == 0;
}

static void sysctl_names_become_paths(void)
{
	char bad[][32] = {"", "..", "/../x", "a//../b", "a/./b", "net.ipv4.", "a.//.b"};

	CHECK(sysctl_becomes("net.ipv4.ip_forward", "net/ipv4/ip_forward"));
	CHECK(sysctl_becomes("net/ipv4/conf/eth0.5/forwarding", "net/ipv4/conf/eth0.5/forwarding"));
	CHECK(sysctl_becomes("net.ipv4.conf.eth0/5.forwarding", "net/ipv4/conf/eth0.5/forwarding"));
	CHECK(sysctl_becomes("vm", "vm"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(sysctl_path(bad[i]) < 0);
}

static void name_servers_are_taken_in_order(void)
{
	const char *rest = "# nameserver 1.1.1.1\nnameserver 127.0.0.53 more\nsearch x\n\tnameserver ::1\nnameserver";
	struct span name;

	CHECK(resolv_next(&rest, &name) && span_is(name, "127.0.0.53"));
	CHECK(resolv_next(&rest, &name) && span_is(name, "::1"));
	CHECK(!resolv_next(&rest, &name) && !resolv_next(&rest, &name));
}

static void resolvers_are_found_in_resolv_conf(void)
{
	CHECK(resolv_names("nameserver 127.0.0.11", "127.0.0.11"));
	CHECK(resolv_names("search x\n  nameserver\t127.0.0.11  \noptions ndots:0\n", "127.0.0.11"));
	CHECK(resolv_names("nameserver 1.1.1.1\r\nnameserver 127.0.0.11\r\n", "127.0.0.11"));
	CHECK(!resolv_names("nameserver 127.0.0.110", "127.0.0.11"));
	CHECK(!resolv_names("# nameserver 127.0.0.11\n;nameserver 127.0.0.11", "127.0.0.11"));
	CHECK(!resolv_names("nameserver127.0.0.11", "127.0.0.11"));
	CHECK(!resolv_names("", "127.0.0.11"));
	CHECK(!resolv_names("nameserver", "127.0.0.11"));
}

static void dns_over_tcp_is_cut_into_messages(void)
{
	uint8_t bytes[2 * (2 + DNS_MIN)] = {0, DNS_MIN, 1};
	struct span message;

	memcpy(bytes + 2 + DNS_MIN, bytes, 2 + DNS_MIN);
	for (size_t size = 0; size < 2 + DNS_MIN; size++)
		CHECK(dns_tcp_take(bytes, size, &message) == 0);
	CHECK(dns_tcp_take(bytes, sizeof bytes, &message) == 2 + DNS_MIN);
	CHECK(message.data == bytes + 2 && message.size == DNS_MIN);
	bytes[1] = DNS_MIN - 1;
	CHECK(dns_tcp_take(bytes, sizeof bytes, &message) < 0);
	bytes[0] = bytes[1] = 0xFF;
	CHECK(dns_tcp_take(bytes, sizeof bytes, &message) == 0);
}

static void a_signal_is_expected_when_it_is_caught_ignored_or_blocked(void)
{
	static const char status[] =
		"Name:\tsh\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n"
		"SigBlk:\t0000000000000001\nSigIgn:\t0000000000000002\nSigCgt:\t0000000000004000\n";

	CHECK(signal_in_status(status, 1));
	CHECK(signal_in_status(status, 2));
	CHECK(signal_in_status(status, 15));
	CHECK(!signal_in_status(status, 3));
	CHECK(!signal_in_status(status, 64));
	CHECK(!signal_in_status("", 15));
}

static void a_process_at_work_is_told_from_one_at_rest(void)
{
	static const char stat[] = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 3 0 12 30 5 5 20 0 1 0 100";
	static const char status[] = "Name:\tsh\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t3\n";

	CHECK(signal_work_in(stat, status) == 12 + 30 + 5 + 3);
	CHECK(signal_work_in("7 (sh) S 1 7", "Name:\tsh\n") == 0);
	CHECK(signal_work_in("", "") == 0);
}

static void the_session_of_a_process_is_known_while_it_lives(void)
{
	CHECK(session_in_stat("9 (a) R 1 2 3 (b) S 1 9 7 0 -1 0") == 7);
	CHECK(session_in_stat("9 (sh) R 1 9 8 0 -1 0") == 8);
	CHECK(session_in_stat("9 (sh) Z 1 9 8 0 -1 0") == 0);
	CHECK(session_in_stat("9 (sh) X 1 9 8 0 -1 0") == 0);
	CHECK(session_in_stat("9 (sh") == 0);
	CHECK(session_in_stat("") == 0);
}

static void systemd_is_told_to_shut_down(void)
{
	CHECK(signal_meant_for("/usr/lib/systemd/systemd", 15) == 38);
	CHECK(signal_meant_for("/usr/lib/systemd/systemd", 2) == 2);
	CHECK(signal_meant_for("/usr/lib/systemd/systemd", 37) == 37);
	CHECK(signal_meant_for("/usr/lib/systemd/systemd-executor", 15) == 15);
	CHECK(signal_meant_for("/bin/sh", 15) == 15);
	CHECK(signal_meant_for("systemd", 15) == 15);
	CHECK(signal_meant_for("", 15) == 15);
}

static void systemd_is_a_machines_init_unless_it_is_said_to_be_in_a_container(void)
{
	CHECK(sysinit_is_machine("/usr/lib/systemd/systemd", NULL));
	CHECK(sysinit_is_machine("/usr/lib/systemd/systemd", ""));
	CHECK(sysinit_is_machine("/usr/lib/systemd/systemd", "podman"));
	CHECK(sysinit_is_machine("/usr/lib/systemd/systemd", "docker"));
	CHECK(sysinit_is_machine("/usr/lib/systemd/systemd", "oci"));
	CHECK(!sysinit_is_machine("/usr/lib/systemd/systemd", "lxc"));
	CHECK(!sysinit_is_machine("/usr/lib/systemd/systemd", "yes"));
	CHECK(!sysinit_is_machine("/usr/lib/systemd/systemd", "podman-like"));
	CHECK(!sysinit_is_machine("/usr/lib/systemd/systemd-executor", NULL));
	CHECK(!sysinit_is_machine("/usr/sbin/runit-init", NULL));
	CHECK(!sysinit_is_machine("systemd", NULL));
	CHECK(!sysinit_is_machine("", NULL));
}

static void only_the_machines_own_root_ends_it(void)
{
	CHECK(sysinit_may_reboot("Name:\tsystemd\nNSpid:\t1\nCapEff:\t000001ffffffffff\n"));
	CHECK(sysinit_may_reboot("Name:\tx\nNSpid:\t4711\nCapEff:\t0000000000400000\nCapBnd:\t0\n"));
	CHECK(!sysinit_may_reboot("Name:\tx\nNSpid:\t4711\nCapEff:\t000001ffffbfffff\n"));
	CHECK(!sysinit_may_reboot("Name:\tx\nNSpid:\t4711\t1\nCapEff:\t000001ffffffffff\n"));
	CHECK(!sysinit_may_reboot("Name:\tx\nCapEff:\t000001ffffffffff\n"));
	CHECK(!sysinit_may_reboot("Name:\tx\nNSpid:\t4711\n"));
	CHECK(!sysinit_may_reboot(""));
}

static void what_ends_a_machine_is_told_from_what_does_not(void)
{
	const uint32_t ends[] = {0x01234567, 0xCDEF0123, 0x4321FEDC, 0xA1B2C3D4, 0x45584543};
	const uint32_t others[] = {0x89ABCDEF, 0, 0xD000FCE2, 1};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		CHECK(sysinit_is_end(0xfee1dead, 672274793, ends[i]));
		CHECK(sysinit_is_end(0xfee1dead, 537993216, ends[i]));
		CHECK(!sysinit_is_end(0xfee1deaf, 672274793, ends[i]));
		CHECK(!sysinit_is_end(0xfee1dead, 672274794, ends[i]));
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		CHECK(!sysinit_is_end(0xfee1dead, 672274793, others[i]));
}

static void fstab_has_the_escapes_that_its_readers_undo(void)
{
	char line[64];
	const char *plain = "/dev/vda /home ext4 discard 0 0\n";

	CHECK(fstab_line(line, sizeof line, "/dev/vda", "/home", "ext4", "discard") == (int)strlen(plain));
	CHECK(strcmp(line, plain) == 0);
	CHECK(fstab_line(line, sizeof line, "/dev/vdb", "/a b\\c", "xfs", "") > 0);
	CHECK(strcmp(line, "/dev/vdb /a\\040b\\134c xfs defaults 0 0\n") == 0);
	CHECK(fstab_line(line, strlen(plain), "/dev/vda", "/home", "ext4", "discard") == -ENAMETOOLONG);
	CHECK(fstab_line(line, strlen(plain) + 1, "/dev/vda", "/home", "ext4", "discard") > 0);
}

static void devices_of_modules_are_below_dev(void)
{
	struct devname device;

	CHECK(devname_parse("tun net/tun c10:200", &device) == 0);
	CHECK(strcmp(device.path, "/dev/net/tun") == 0 && device.type == S_IFCHR && device.number == makedev(10, 200));
	CHECK(devname_parse("floppy fd0 b2:0", &device) == 0);
	CHECK(device.type == S_IFBLK && device.number == makedev(2, 0));
	const char *refused[] = {"",
				 "# Device nodes to trigger on-demand module loading.",
				 "a b",
				 "a b c10",
				 "a b p10:1",
				 "a /etc/x c10:1",
				 "a ../etc/x c10:1",
				 "# b c10:1"};
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		CHECK(devname_parse(refused[i], &device) == -EINVAL);
}

int main(void)
{
	test("the home is found by uid", the_home_is_found_by_uid);
	test("lines that are not users are passed over", lines_that_are_not_users_are_passed_over);
	test("a file is read line by line", a_file_is_read_line_by_line);
	test("random lines do no harm", random_lines_do_no_harm);
	test("exit codes are decimal and bounded", exit_codes_are_decimal_and_bounded);
	test("sysctl names become paths", sysctl_names_become_paths);
	test("resolvers are found in resolv.conf", resolvers_are_found_in_resolv_conf);
	test("name servers are taken in order", name_servers_are_taken_in_order);
	test("DNS over TCP is cut into messages", dns_over_tcp_is_cut_into_messages);
	test("a signal is expected when it is caught, ignored or blocked",
	     a_signal_is_expected_when_it_is_caught_ignored_or_blocked);
	test("a process at work is told from one at rest", a_process_at_work_is_told_from_one_at_rest);
	test("the session of a process is known while it lives", the_session_of_a_process_is_known_while_it_lives);
	test("systemd is told to shut down", systemd_is_told_to_shut_down);
	test("systemd is a machine's init unless it is said to be in a container",
	     systemd_is_a_machines_init_unless_it_is_said_to_be_in_a_container);
	test("only the machine's own root ends it", only_the_machines_own_root_ends_it);
	test("what ends a machine is told from what does not", what_ends_a_machine_is_told_from_what_does_not);
	test("fstab has the escapes that its readers undo", fstab_has_the_escapes_that_its_readers_undo);
	test("devices of modules are below /dev", devices_of_modules_are_below_dev);
	return tests_end();
}
