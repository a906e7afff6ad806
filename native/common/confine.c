/* SPDX-License-Identifier: Apache-2.0 */
#include "common/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The lower half of an argument: the machines are little-endian, and the kernel takes an int of it. */
#define LOAD_ARGUMENT(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
/* Calls of another architecture have other numbers. */
#define THIS_ARCHITECTURE LOAD(arch), IF(ARCHITECTURE, 1, 0), REFUSE, LOAD(nr)

static int install(struct sock_filter *code, unsigned short size)
{
	struct sock_fprog program = {size, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

int confine_without_netlink(void)
{
	struct sock_filter code[] = {
		THIS_ARCHITECTURE, IF(SYS_socket, 0, 2), LOAD_ARGUMENT(0), IF(AF_NETLINK, 1, 0), ALLOW, REFUSE,
	};

	return install(code, sizeof code / sizeof *code);
}

int confine_to_itself(void)
{
	const uint32_t self = (uint32_t)getpid();
	struct sock_filter code[] = {
		THIS_ARCHITECTURE,
		IF(SYS_kill, 16, 0),
		IF(SYS_tkill, 15, 0),
		IF(SYS_rt_sigqueueinfo, 14, 0),
		IF(SYS_rt_tgsigqueueinfo, 13, 0),
		IF(SYS_pidfd_open, 12, 0),
		IF(SYS_pidfd_send_signal, 11, 0),
		IF(SYS_ptrace, 10, 0),
		IF(SYS_process_vm_readv, 9, 0),
		IF(SYS_process_vm_writev, 8, 0),
		IF(SYS_tgkill, 4, 0),
		IF(SYS_fcntl, 0, 5),
		/* a file that is ready can have a signal sent, too */
		LOAD_ARGUMENT(1),
		IF(F_SETOWN, 4, 0),
		IF(F_SETOWN_EX, 3, 2),
		LOAD_ARGUMENT(0), /* of tgkill, which abort(3) calls */
		IF(self, 0, 1),
		ALLOW,
		REFUSE,
	};

	return install(code, sizeof code / sizeof *code);
}
