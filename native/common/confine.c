/* SPDX-License-Identifier: Apache-2.0 */
#include "common/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
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

int confine_all(void)
{
	struct sock_filter code[] = {
		THIS_ARCHITECTURE,
		IF(SYS_socket, 3, 0),
		IF(SYS_ioctl, 4, 0),
		IF(SYS_fcntl, 6, 0),
		IF(SYS_prlimit64, 9, 11),
		LOAD_ARGUMENT(0),
		IF(AF_NETLINK, 10, 9),
		/* a file that is ready can have a signal sent: to whom is said in two ways */
		LOAD_ARGUMENT(1),
		IF(FIOSETOWN, 8, 0),
		IF(SIOCSPGRP, 7, 6),
		LOAD_ARGUMENT(1),
		IF(F_SETOWN, 5, 0),
		IF(F_SETOWN_EX, 4, 0),
		IF(F_SETSIG, 3, 2),
		LOAD_ARGUMENT(0), /* 0: the caller */
		IF(0, 0, 1),
		ALLOW,
		REFUSE,
	};

	return install(code, sizeof code / sizeof *code);
}

int confine_to_itself(void)
{
	const uint32_t self = (uint32_t)getpid();
	struct sock_filter code[] = {
		THIS_ARCHITECTURE,
		IF(SYS_kill, 18, 0),
		IF(SYS_tkill, 17, 0),
		IF(SYS_rt_sigqueueinfo, 16, 0),
		IF(SYS_rt_tgsigqueueinfo, 15, 0),
		IF(SYS_pidfd_open, 14, 0),
		IF(SYS_pidfd_send_signal, 13, 0),
		IF(SYS_ptrace, 12, 0),
		IF(SYS_process_vm_readv, 11, 0),
		IF(SYS_process_vm_writev, 10, 0),
		IF(SYS_setpriority, 9, 0),
		IF(SYS_ioprio_set, 8, 0),
		IF(SYS_sched_setaffinity, 7, 0),
		IF(SYS_sched_setattr, 6, 0),
		IF(SYS_sched_setparam, 5, 0),
		IF(SYS_sched_setscheduler, 4, 0),
		IF(SYS_tgkill, 0, 2),
		LOAD_ARGUMENT(0), /* which abort(3) calls */
		IF(self, 0, 1),
		ALLOW,
		REFUSE,
	};

	return install(code, sizeof code / sizeof *code);
}

int confine_to_sockets(void)
{
	struct sock_filter code[] = {
		THIS_ARCHITECTURE,
		IF(SYS_recvfrom, 17, 0),
		IF(SYS_sendto, 16, 0),
		IF(SYS_ppoll, 15, 0),
		IF(SYS_clock_gettime, 14, 0),
		IF(SYS_accept4, 13, 0),
		IF(SYS_close, 12, 0),
		IF(SYS_connect, 11, 0),
		IF(SYS_shutdown, 10, 0),
		IF(SYS_setsockopt, 9, 0),
		IF(SYS_write, 8, 0),
		IF(SYS_exit_group, 7, 0),
		IF(SYS_rt_sigreturn, 6, 0),
		IF(SYS_restart_syscall, 5, 0),
		IF(SYS_socket, 1, 0),
		REFUSE,
		LOAD_ARGUMENT(0),
		IF(AF_UNIX, 1, 0),
		REFUSE,
		ALLOW,
	};

	return install(code, sizeof code / sizeof *code);
}

int confine_to_open_sockets(void)
{
	struct sock_filter code[] = {
		THIS_ARCHITECTURE,
		IF(SYS_epoll_pwait, 25, 0), /* which arm64 has in place of the next */
#ifdef SYS_epoll_wait
		IF(SYS_epoll_wait, 24, 0),
#else
		IF(SYS_epoll_pwait, 24, 0),
#endif
		IF(SYS_epoll_ctl, 23, 0),
		IF(SYS_recvfrom, 22, 0),
		IF(SYS_sendto, 18, 0),
		IF(SYS_read, 20, 0),
		IF(SYS_write, 19, 0),
		IF(SYS_accept4, 18, 0),
		IF(SYS_close, 17, 0),
		IF(SYS_shutdown, 16, 0),
		IF(SYS_getsockname, 15, 0),
		IF(SYS_setsockopt, 14, 0),
		IF(SYS_brk, 13, 0),
		IF(SYS_mmap, 12, 0),
		IF(SYS_mremap, 11, 0),
		IF(SYS_munmap, 10, 0),
		IF(SYS_madvise, 9, 0),
		IF(SYS_getrandom, 8, 0),
		IF(SYS_clock_gettime, 7, 0),
		IF(SYS_exit_group, 6, 0),
		IF(SYS_restart_syscall, 5, 0),
		IF(SYS_sigaltstack, 4, 0), /* of the address sanitizer, in tests */
		REFUSE,
		LOAD_ARGUMENT(5), /* without an address: with one, MSG_FASTOPEN connects */
		IF(0, 1, 0),
		REFUSE,
		ALLOW,
	};

	return install(code, sizeof code / sizeof *code);
}
