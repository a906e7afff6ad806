/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keep/forward.h"

#include "common/bpfcode.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { IPV4, IPV6, FAMILIES, BACKLOG = 128 };

/* Where the monitor asks an engine's DNS, for the guest. What the guest asks does not come back to it. */
enum { ENGINES_DNS = 0x7F00000B /* 127.0.0.11 */, DNS_PORT = 53 };

#define FIELD(name) offsetof(struct bpf_sk_lookup, name)
#define REMOTE(word) (FIELD(remote_ip6) + 4 * (word))
#define LOCAL(word) (FIELD(local_ip6) + 4 * (word))
#define JUMP_UNLESS_SAME(d, s, o) OP(BPF_JMP32 | BPF_JNE | BPF_X, d, s, o, 0)

/* Puts code together; "leave" is filled in when its place is known. */
struct assembly {
	struct bpf_insn *code;
	size_t size;
};

static void add(struct assembly *assembly, struct bpf_insn instruction)
{
	assembly->code[assembly->size++] = instruction;
}

/* Where a jump leads that leaves things as they are: behind the last instruction but two. */
enum { LEAVE_ALONE = INT16_MAX };

static void patch(const struct assembly *assembly, size_t end)
{
	for (size_t i = 0; i < assembly->size; i++)
		if (assembly->code[i].off == LEAVE_ALONE)
			assembly->code[i].off = (int16_t)(end - i - 1);
}

/* Register 6 points to what is looked up. The socket's number goes to where it is looked for. */
static void choose_ipv4(struct assembly *to)
{
	add(to, LOAD(BPF_REG_2, BPF_REG_6, FIELD(local_ip4)));
	add(to, JUMP_UNLESS(BPF_REG_2, (int32_t)htonl(ENGINES_DNS), 2));
	add(to, LOAD(BPF_REG_3, BPF_REG_6, FIELD(local_port)));
	add(to, JUMP_IF(BPF_REG_3, DNS_PORT, LEAVE_ALONE));
	add(to, MOVE(BPF_REG_3, BPF_REG_2));
	add(to, AND(BPF_REG_3, 0xFF));
	add(to, JUMP_IF(BPF_REG_3, IN_LOOPBACKNET, 2));
	add(to, LOAD(BPF_REG_3, BPF_REG_6, FIELD(remote_ip4)));
	add(to, JUMP_UNLESS_SAME(BPF_REG_2, BPF_REG_3, LEAVE_ALONE));
	add(to, PUT(BPF_REG_10, -4, IPV4));
}

/* Likewise of IPv6: the same address on both sides, all of its four words, as of what connects to ::1. */
static void choose_ipv6(struct assembly *to)
{
	for (size_t word = 0; word < 4; word++) {
		add(to, LOAD(BPF_REG_2, BPF_REG_6, LOCAL(word)));
		add(to, LOAD(BPF_REG_3, BPF_REG_6, REMOTE(word)));
		add(to, JUMP_UNLESS_SAME(BPF_REG_2, BPF_REG_3, LEAVE_ALONE));
	}
	add(to, PUT(BPF_REG_10, -4, IPV6));
}

size_t forward_program(struct bpf_insn code[static FORWARD_INSTRUCTIONS], int map, uint16_t own)
{
	struct assembly to = {code, 0};

	add(&to, MOVE(BPF_REG_6, BPF_REG_1));
	add(&to, LOAD(BPF_REG_2, BPF_REG_6, FIELD(protocol)));
	add(&to, JUMP_UNLESS(BPF_REG_2, IPPROTO_TCP, LEAVE_ALONE));
	add(&to, LOAD(BPF_REG_2, BPF_REG_6, FIELD(local_port)));
	add(&to, JUMP_IF(BPF_REG_2, 0, LEAVE_ALONE)); /* nobody can listen there */
	if (own != 0)
		add(&to, JUMP_IF(BPF_REG_2, own, LEAVE_ALONE));
	add(&to, LOAD(BPF_REG_2, BPF_REG_6, FIELD(family)));
	add(&to, JUMP_IF(BPF_REG_2, AF_INET6, 11)); /* over what chooses IPv4, and the jump behind it */
	choose_ipv4(&to);
	add(&to, JUMP(13)); /* over what chooses IPv6 */
	choose_ipv6(&to);
	add(&to, OP(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map));
	add(&to, OP(0, 0, 0, 0, 0));
	add(&to, MOVE(BPF_REG_2, BPF_REG_10));
	add(&to, ADD(BPF_REG_2, -4));
	add(&to, CALL(BPF_FUNC_map_lookup_elem));
	add(&to, JUMP_IF(BPF_REG_0, 0, LEAVE_ALONE)); /* it has been closed */
	add(&to, MOVE(BPF_REG_7, BPF_REG_0));
	add(&to, MOVE(BPF_REG_1, BPF_REG_6));
	add(&to, MOVE(BPF_REG_2, BPF_REG_7));
	add(&to, SET(BPF_REG_3, 0));
	add(&to, CALL(BPF_FUNC_sk_assign));
	add(&to, MOVE(BPF_REG_1, BPF_REG_7));
	add(&to, CALL(BPF_FUNC_sk_release));
	patch(&to, to.size);
	add(&to, SET(BPF_REG_0, SK_PASS));
	add(&to, LEAVE());
	return to.size;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	long r = syscall(SYS_bpf, command, attributes, sizeof *attributes);

	return r < 0 ? -errno : (int)r;
}

static int make_map(const int listeners[static FAMILIES])
{
	union bpf_attr make = {
		.map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4, .value_size = 4, .max_entries = FAMILIES};
	int map = bpf(BPF_MAP_CREATE, &make);

	for (uint32_t i = 0; map >= 0 && i < FAMILIES; i++) {
		uint32_t value = (uint32_t)listeners[i];
		union bpf_attr put = {
			.map_fd = (uint32_t)map, .key = (uintptr_t)&i, .value = (uintptr_t)&value, .flags = BPF_ANY};

		if (listeners[i] < 0)
			continue;
		int r = bpf(BPF_MAP_UPDATE_ELEM, &put);
		if (r < 0) {
			close(map);
			return r;
		}
	}
	return map;
}

static int load(int map, uint16_t own)
{
	static const char license[] = "Apache-2.0";
	struct bpf_insn code[FORWARD_INSTRUCTIONS];
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SK_LOOKUP,
			       .expected_attach_type = BPF_SK_LOOKUP,
			       .insns = (uintptr_t)code,
			       .insn_cnt = (uint32_t)forward_program(code, map, own),
			       .license = (uintptr_t)license};

	return bpf(BPF_PROG_LOAD, &load);
}

/* Returns the descriptor that the program's place is known by, or -errno. */
static int attach(int network, const int listeners[static FAMILIES], uint16_t own, struct failure *failure)
{
	auto_close int map = make_map(listeners);
	if (map < 0)
		return fail(failure, map, "a map of sockets: %s", strerror(-map));
	auto_close int program = load(map, own);
	if (program < 0)
		return fail(failure, program, "a program of BPF: %s", strerror(-program));
	union bpf_attr link = {.link_create = {.prog_fd = (uint32_t)program,
					       .target_fd = (uint32_t)network,
					       .attach_type = BPF_SK_LOOKUP}};
	int r = bpf(BPF_LINK_CREATE, &link);
	return r < 0 ? fail(failure, r, "BPF_SK_LOOKUP: %s", strerror(-r)) : r;
}

static int listen_at(const struct sockaddr *address, socklen_t size)
{
	const int yes = 1;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* the loopback's address, also where the loopback is not up */
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes) < 0 || bind(fd, address, size) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		int error = errno;

		close_clear(&fd);
		return -error;
	}
	return fd;
}

static int listen_all(int listeners[static FAMILIES], struct failure *failure)
{
	const struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	listeners[IPV4] = listen_at((const struct sockaddr *)&four, sizeof four);
	if (listeners[IPV4] < 0)
		return fail(failure, listeners[IPV4], "a socket: %s", strerror(-listeners[IPV4]));
	/* a host may have none */
	listeners[IPV6] = listen_at((const struct sockaddr *)&six, sizeof six);
	return 0;
}

static bool same(int one, int other)
{
	struct stat first, second;

	return fstat(one, &first) < 0 || fstat(other, &second) < 0 ||
	       (first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

/* The sockets of that namespace. Whoever goes on in another one would start runc there. */
static int listen_in(int home, int network, int listeners[static FAMILIES], struct failure *failure)
{
	if (same(home, network))
		return fail(failure, -EINVAL, "it is the host's own network");
	if (setns(network, CLONE_NEWNET) < 0)
		return fail(failure, -errno, "the network namespace: %s", strerror(errno));
	int r = listen_all(listeners, failure);
	if (setns(home, CLONE_NEWNET) < 0) {
		dprintf(STDERR_FILENO, "dkvm-keep: can not come back from a network namespace: %s\n", strerror(errno));
		exit(1);
	}
	return r;
}

/* Out of the way of those numbers; -errno where fd is one, or there is no room. */
static int above(int fd)
{
	int moved = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FORWARD_FIRST + FORWARD_HANDED);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && moved < 0 ? -EMFILE : moved;
}

static int open_above(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return above(fd < 0 ? -errno : fd);
}

/* To where runc takes them from. What the caller has left there, as containerd's shim does, runc would close; but not what this variable tells of. */
static int hand(const int fds[static FORWARD_HANDED], struct failure *failure)
{
	if (getenv("LISTEN_FDS"))
		return fail(failure, -EBUSY, "the caller hands down descriptors of its own (LISTEN_FDS)");
	for (int i = 0; i < FORWARD_HANDED; i++) {
		auto_close int null = fds[i] < 0 ? open_above("/dev/null") : -1;

		if (dup2(fds[i] < 0 ? null : fds[i], FORWARD_FIRST + i) < 0) {
			int error = errno;

			while (i-- > 0)
				close(FORWARD_FIRST + i);
			return fail(failure, -error, "a descriptor: %s", strerror(error));
		}
	}
	return 0;
}

int forward_open(const char *path, uint16_t own, struct failure *failure)
{
	int fds[FORWARD_HANDED] = {-1, -1, -1};
	auto_close int home = open_above("/proc/self/ns/net");
	auto_close int network = open_above(path);
	int r = home < 0 ? home : network;

	if (r < 0)
		return fail(failure, r, "\"%s\": %s", path, strerror(-r));
	r = listen_in(home, network, fds, failure);
	if (r == 0)
		r = fds[FAMILIES] = attach(network, fds, own, failure);
	for (int i = 0; i < FORWARD_HANDED; i++)
		fds[i] = above(fds[i]);
	if (r >= 0)
		r = hand(fds, failure);
	for (int i = 0; i < FORWARD_HANDED; i++)
		close_clear(&fds[i]);
	return r;
}
