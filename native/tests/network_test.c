/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-network in a network namespace of its own; needs root. */
#include "common/files.h"
#include "common/frame.h"
#include "common/session_socket.h"
#include "sandbox/network/link.h"
#include "sandbox/network/rtmessage.h"
#include "sandbox/network/takeover_order.h"

#include "check.h"
#include "programs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOPBACK = 1 /* its index */, PATIENCE = 30 /* s */ };

static int set_address(uint16_t type, uint32_t device, const char *text)
{
	uint8_t address[16];
	bool old = inet_pton(AF_INET, text, address) == 1;

	if (!old && inet_pton(AF_INET6, text, address) != 1)
		return -1;
	struct ifaddrmsg *about = rtmessage_begin(type, type == RTM_NEWADDR ? NLM_F_CREATE : 0, sizeof *about);

	about->ifa_family = old ? AF_INET : AF_INET6;
	about->ifa_prefixlen = old ? 32 : 128;
	about->ifa_flags = IFA_F_NODAD;
	about->ifa_index = device;
	rtmessage_put(IFA_LOCAL, address, old ? 4 : 16);
	rtmessage_put(IFA_ADDRESS, address, old ? 4 : 16);
	return rtmessage_send();
}

static bool has(const struct identity *identity, const char *text)
{
	uint8_t address[16];
	bool old = inet_pton(AF_INET, text, address) == 1, found = false;

	if (!old)
		inet_pton(AF_INET6, text, address);
	for (size_t i = 0; old && i < identity->ipv4_count; i++)
		found |= memcmp(identity->ipv4[i], address, 4) == 0;
	for (size_t i = 0; !old && i < identity->ipv6_count; i++)
		found |= memcmp(identity->ipv6[i], address, 16) == 0;
	return found;
}

static void a_device_tells_who_it_is(void)
{
	static const uint8_t loopback[6];
	static struct identity identity;
	char address[32];
	uint32_t tap;
	int r = set_address(RTM_NEWADDR, LOOPBACK, "10.1.2.3");

	r = r < 0 ? r : set_address(RTM_NEWADDR, LOOPBACK, "fd00::2");
	CHECK("addresses are given", r == 0 && link_make_tap("tap7", 0, &tap) == 0);
	CHECK("… another device has others", set_address(RTM_NEWADDR, tap, "10.9.9.9") == 0);
	CHECK("a device's own addresses are found", link_identify("lo", &identity) == 0 && has(&identity, "10.1.2.3") &&
							    has(&identity, "fd00::2") && !has(&identity, "10.9.9.9"));
	CHECK("and its MAC", memcmp(identity.mac, loopback, 6) == 0 && link_identify("tap7", &identity) == 0 &&
				     memcmp(identity.mac, loopback, 6) != 0 && has(&identity, "10.9.9.9"));
	CHECK("what goes is gone", set_address(RTM_DELADDR, LOOPBACK, "10.1.2.3") == 0 &&
					   link_identify("lo", &identity) == 0 && !has(&identity, "10.1.2.3") &&
					   has(&identity, "fd00::2"));
	for (int i = 0; i < 2 * GUARD_ADDRESSES && r == 0; i++) {
		snprintf(address, sizeof address, "10.2.0.%d", i);
		r = set_address(RTM_NEWADDR, LOOPBACK, address);
	}
	CHECK("of too many there are as many as there is room for",
	      r == 0 && link_identify("lo", &identity) == 0 && identity.ipv4_count == GUARD_ADDRESSES);
	CHECK("one that is not there has none", link_identify("eth7", &identity) == -ENODEV);
	CHECK("a tap of others is none of ours", link_find_behind("tap7", address) == -EPERM);
	CHECK("one of ours knows its device", link_start_tap(tap, "eth0", 1500) == 0 &&
						      link_find_behind("tap7", address) == 0 &&
						      strcmp(address, "eth0") == 0);
	link_delete(tap);
}

static size_t request(uint8_t *bytes, uint16_t number, enum order_kind kind, const char *tap)
{
	memset(bytes, 0, ORDER_LENGTH + 1 + NAME_SIZE);
	put_u16(bytes, 1 + NAME_SIZE);
	put_u16(bytes + 2, number);
	bytes[ORDER_LENGTH] = (uint8_t)kind;
	memcpy(bytes + ORDER_LENGTH + 1, tap, strlen(tap));
	return ORDER_LENGTH + 1 + NAME_SIZE;
}

/* Whether the next answer bears that number; its text. */
static bool answered(int fd, uint16_t number, char text[static ANSWER_MOST])
{
	uint8_t header[ORDER_LENGTH], result;

	text[0] = '\0';
	if (recv(fd, header, sizeof header, MSG_WAITALL) != sizeof header || recv(fd, &result, 1, 0) != 1)
		return false;
	size_t length = get_u16(header) - 1u;

	if (length >= ANSWER_MOST || (length > 0 && recv(fd, text, length, MSG_WAITALL) != (ssize_t)length))
		return false;
	text[length] = '\0';
	return get_u16(header + 2) == number;
}

static void requests_that_did_not_wait_are_answered_in_order(void)
{
	char program[600], path[600], text[ANSWER_MOST];
	uint8_t bytes[256];
	size_t size;

	snprintf(program, sizeof program, "%s/dkvm-network", programs_build);
	snprintf(path, sizeof path, "%s.network", programs_socket);
	auto_close int listener = session_socket_listen(path);
	auto_close int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(listener, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		execl(program, program, "0", "guarded", (char *)NULL);
		_exit(124);
	}
	auto_close int fd = session_socket_connect(path, 1000);
	fcntl(fd, F_SETFL, 0);
	CHECK("it says when it hears of changes", answered(fd, 0, text));
	size = request(bytes, 7, ORDER_REMOVE, "tap8");
	size += request(bytes + size, 8, ORDER_GUARD, "tap9");
	CHECK("two are asked for at once", send(fd, bytes, size, 0) == (ssize_t)size);
	CHECK("the first is answered first", answered(fd, 7, text) && strstr(text, "remove the tap \"tap8\""));
	CHECK("then the second", answered(fd, 8, text) && strstr(text, "find the tap \"tap9\""));
	size = request(bytes, 9, ORDER_REMOVE, "tap8");
	put_u16(bytes, ORDER_MOST + 1);
	send(fd, bytes, size, 0);
	CHECK("one that is too long is its end", recv(fd, text, 1, 0) <= 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
}

int main(void)
{
	if (geteuid() != 0 || access("/dev/net/tun", F_OK) < 0) {
		printf("1..0 # SKIP needs root and /dev/net/tun\n");
		return 0;
	}
	programs_setup();
	alarm(PATIENCE);
	if (unshare(CLONE_NEWNET) < 0 || rtmessage_open() < 0)
		return 2;
	a_device_tells_who_it_is();
	requests_that_did_not_wait_are_answered_in_order();
	programs_cleanup();
	return check_end();
}
