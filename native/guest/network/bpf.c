/* SPDX-License-Identifier: Apache-2.0 */
/* Written out, as there is no compiler for it where the agent is built; each program has a comment of what it does. */
#include "guest/network/bpf.h"

#include "common/bpfcode.h"
#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nine instructions: write eight bytes to the ring and wake who waits for it; then let happen what happens. */
#define TELL(ring)                                                                                                     \
	PUT(BPF_REG_10, -8, 0), PUT(BPF_REG_10, -4, 0),                                                                \
		OP(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring), OP(0, 0, 0, 0, 0),               \
		MOVE(BPF_REG_2, BPF_REG_10), ADD(BPF_REG_2, -8), SET(BPF_REG_3, 8),                                    \
		SET(BPF_REG_4, BPF_RB_FORCE_WAKEUP), CALL(BPF_FUNC_ringbuf_output)
#define ALLOW() SET(BPF_REG_0, 1), LEAVE()

/* tcp_states.h, which linux/bpf.h has under another name */
_Static_assert(TCP_LISTEN == (int)BPF_TCP_LISTEN, "the states of TCP are the kernel's");

static uint64_t *consumed;
static const uint64_t *produced;

static long bpf(int command, union bpf_attr *attributes)
{
	long r = syscall(SYS_bpf, command, attributes, sizeof *attributes);

	return r < 0 ? -errno : r;
}

/* A ring whose records nobody reads: that there are some is the message. See BPF_MAP_TYPE_RINGBUF in bpf-helpers(7). */
static int open_ring(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	union bpf_attr map = {.map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = (uint32_t)page};
	int fd = (int)bpf(BPF_MAP_CREATE, &map);

	if (fd < 0)
		return fd;
	void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *producer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (consumer == MAP_FAILED || producer == MAP_FAILED) {
		int error = errno;
		close(fd);
		return -error;
	}
	consumed = consumer;
	produced = producer;
	return fd;
}

void bpf_drain(void)
{
	__atomic_store_n(consumed, __atomic_load_n(produced, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

/* The root of the control groups' second version, which every socket has a place in; it is seen by nobody. */
static int open_root_group(void)
{
	int context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	int mount = -1;

	if (context >= 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	int error = errno;
	close_clear(&context);
	return mount < 0 ? -error : mount;
}

static int attach(int group, enum bpf_prog_type type, enum bpf_attach_type at, const struct bpf_insn *code, size_t size)
{
	static const char license[] = "Apache-2.0";
	union bpf_attr load = {.prog_type = type,
			       .expected_attach_type = at,
			       .insns = (uintptr_t)code,
			       .insn_cnt = (uint32_t)(size / sizeof *code),
			       .license = (uintptr_t)license};
	int program = (int)bpf(BPF_PROG_LOAD, &load);

	if (program < 0)
		return program;
	/* others, systemd among them, may attach theirs, too */
	union bpf_attr join = {.target_fd = (uint32_t)group,
			       .attach_bpf_fd = (uint32_t)program,
			       .attach_type = at,
			       .attach_flags = BPF_F_ALLOW_MULTI};
	long r = bpf(BPF_PROG_ATTACH, &join);
	close(program);
	return (int)r;
}

/* TCP: each that begins to listen is told, and then each change of its state, of which the end of listening is told. */
static int tell_tcp(int group, int ring)
{
	const struct bpf_insn code[] = {
		MOVE(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_sock_ops, op)),
		JUMP_IF(BPF_REG_2, BPF_SOCK_OPS_TCP_LISTEN_CB, 4),
		JUMP_UNLESS(BPF_REG_2, BPF_SOCK_OPS_STATE_CB, 15),
		LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_sock_ops, args[0])),
		JUMP_UNLESS(BPF_REG_2, BPF_TCP_LISTEN, 13),
		JUMP(3),
		MOVE(BPF_REG_1, BPF_REG_6),
		SET(BPF_REG_2, BPF_SOCK_OPS_STATE_CB_FLAG),
		CALL(BPF_FUNC_sock_ops_cb_flags_set),
		TELL(ring),
		ALLOW(),
	};

	return attach(group, BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, code, sizeof code);
}

/* UDP: each that has been bound to an address is told. */
static int tell_udp(int group, int ring, enum bpf_attach_type at)
{
	const struct bpf_insn code[] = {
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock, protocol)),
		JUMP_UNLESS(BPF_REG_2, IPPROTO_UDP, 9),
		TELL(ring),
		ALLOW(),
	};

	return attach(group, BPF_PROG_TYPE_CGROUP_SOCK, at, code, sizeof code);
}

/* Where the last word of an address is that is IPv4, or IPv4 in IPv6's clothes. */
#define IPV4 offsetof(struct bpf_sock_addr, user_ip4)
#define MAPPED(word) (offsetof(struct bpf_sock_addr, user_ip6) + 4 * (word))

/*
 * Twenty-two instructions. The address is at `word` of what register 6 points to: an
 * address of the loopback at which nobody listens by TCP becomes the one that leads outside.
 */
#define LEAD_OUT(word, outer)                                                                                          \
	LOAD(BPF_REG_7, BPF_REG_6, word), MOVE(BPF_REG_2, BPF_REG_7), AND(BPF_REG_2, 0xFF),                            \
		JUMP_UNLESS(BPF_REG_2, IN_LOOPBACKNET, 18), PUT(BPF_REG_10, -12, htonl(INADDR_LOOPBACK)),              \
		STORE(BPF_REG_10, BPF_REG_7, -8), PUT(BPF_REG_10, -4, 0),                                              \
		LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_sock_addr, user_port)),                                 \
		STORE_SHORT(BPF_REG_10, BPF_REG_2, -2), MOVE(BPF_REG_1, BPF_REG_6), MOVE(BPF_REG_2, BPF_REG_10),       \
		ADD(BPF_REG_2, -12), SET(BPF_REG_3, 12), SET(BPF_REG_4, BPF_F_CURRENT_NETNS), SET(BPF_REG_5, 0),       \
		CALL(BPF_FUNC_sk_lookup_tcp), JUMP_IF(BPF_REG_0, 0, 3), MOVE(BPF_REG_1, BPF_REG_0),                    \
		CALL(BPF_FUNC_sk_release), JUMP(2), OP(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, outer),             \
		STORE(BPF_REG_6, BPF_REG_2, word)

static int lead_out(int group, uint32_t outer)
{
	const struct bpf_insn code[] = {
		MOVE(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_sock_addr, protocol)),
		JUMP_UNLESS(BPF_REG_2, IPPROTO_TCP, 22),
		LEAD_OUT(IPV4, outer),
		ALLOW(),
	};

	return attach(group, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, code, sizeof code);
}

static int lead_out_mapped(int group, uint32_t outer)
{
	const struct bpf_insn code[] = {
		MOVE(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, offsetof(struct bpf_sock_addr, protocol)),
		JUMP_UNLESS(BPF_REG_2, IPPROTO_TCP, 28),
		LOAD(BPF_REG_2, BPF_REG_6, MAPPED(0)),
		JUMP_UNLESS(BPF_REG_2, 0, 26),
		LOAD(BPF_REG_2, BPF_REG_6, MAPPED(1)),
		JUMP_UNLESS(BPF_REG_2, 0, 24),
		LOAD(BPF_REG_2, BPF_REG_6, MAPPED(2)),
		OP(BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, 22, htonl(0xFFFF)),
		LEAD_OUT(MAPPED(3), outer),
		ALLOW(),
	};

	return attach(group, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT, code, sizeof code);
}

/* What a kernel has not is said, and done without. */
static void expect(int r, const char *what)
{
	char text[64];

	if (r < 0)
		log_text(LOG_LEVEL_WARNING, "the kernel does not lead %s: %s", what, error_text(r, text));
}

int bpf_open(const uint8_t outer[static 4])
{
	uint32_t address;
	int group = open_root_group();

	if (group < 0)
		return group;
	memcpy(&address, outer, sizeof address);
	expect(lead_out(group, address), "the loopback outside");
	expect(lead_out_mapped(group, address), "IPv6's IPv4 loopback outside");
	int ring = open_ring();
	int r = ring < 0 ? ring : tell_tcp(group, ring);
	if (r >= 0)
		r = tell_udp(group, ring, BPF_CGROUP_INET4_POST_BIND);
	if (r >= 0)
		r = tell_udp(group, ring, BPF_CGROUP_INET6_POST_BIND);
	close(group);
	if (r < 0) {
		close_clear(&ring);
		return r;
	}
	return ring;
}
