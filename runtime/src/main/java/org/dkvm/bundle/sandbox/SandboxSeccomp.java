// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.json.Json;

/**
 * The seccomp profile of every sandbox: an allow-list of what its JVM, QEMU, virtiofsd and tools call (OCI runtime spec, config-linux.md, "seccomp"). Code and not a
 * resource: to read a file out of the jar would double the time create takes.
 */
public final class SandboxSeccomp {
    private static final String ALLOW = "SCMP_ACT_ALLOW";
    private static final String REFUSE = "SCMP_ACT_ERRNO";
    private static final String EQUAL = "SCMP_CMP_EQ";
    private static final String MASKED_EQUAL = "SCMP_CMP_MASKED_EQ";
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;

    /** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of clone(2). */
    private static final long NEW_NAMESPACES = 0x7E02_0000L;

    private static final long CLONE_FS = 0x200;

    /** Unix sockets; IPv4 for DNS and interface ioctls, IPv6. See socket(2). */
    private static final long[] SOCKET_FAMILIES = {1, 2, 10};

    private static final long AF_NETLINK = 16;

    /** Of netlink(7): to take the network over. dkvm-init takes even this from all but dkvm-network. */
    private static final long NETLINK_ROUTE = 0;

    private static final int PROTOCOL = 2;

    /** The kernel takes an int of such an argument, whatever its upper half holds. */
    private static final long INT = 0xFFFF_FFFFL;

    /**
     * Commands of fcntl(2), as masks and what is left under them: 0 to 7, 36 to 39, 1024 to 1039. Not among them are those that have signals sent, F_SETOWN, F_SETSIG,
     * F_SETOWN_EX. What has an ioctl do the same dkvm-init takes away: an allow-list can not leave out a single value.
     */
    private static final long[][] FILE_COMMANDS = {{INT - 7, 0}, {INT - 3, 36}, {INT - 15, 1024}};

    /** Files, but for fcntl; chroot for virtiofsd. */
    private static final String FILES = """
            access chdir chmod chown chroot close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate
            fchdir fchmod fchmodat fchmodat2 fchown fchownat fdatasync flock fstat fstatfs fsync ftruncate futimesat getcwd getdents
            getdents64 lchown link linkat lseek lstat mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64
            preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile splice
            stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice
            write writev""";

    /** Extended attributes and ACLs, which virtiofsd passes on. */
    private static final String ATTRIBUTES = """
            fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr lsetxattr
            removexattr removexattrat setxattr setxattrat""";

    /** Memory. */
    private static final String MEMORY = """
            brk cachestat get_mempolicy madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap
            mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_madvise remap_file_pages shmat shmctl shmdt
            shmget""";

    /** Processes and threads, but for clone and prlimit64. */
    private static final String PROCESSES = """
            arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv futex_wake getcpu getegid
            geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid
            get_robust_list ioprio_get ioprio_set pidfd_open pidfd_send_signal prctl rseq sched_getaffinity sched_getattr
            sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_setaffinity
            sched_setattr sched_setparam sched_setscheduler sched_yield seccomp setfsgid setfsuid setgid setgroups setpgid setpriority
            setregid setresgid setresuid setreuid setrlimit setsid setuid set_robust_list set_tid_address sysinfo times uname vfork wait4
            waitid""";

    /** What confines a process further. */
    private static final String CONFINEMENT = """
            landlock_add_rule landlock_create_ruleset landlock_restrict_self""";

    /** Signals, timers, random numbers. */
    private static final String TIME = """
            alarm clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday kill nanosleep pause restart_syscall
            rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo setitimer
            sigaltstack signalfd signalfd4 tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
            timerfd_gettime timerfd_settime tkill""";

    /** Waiting, pipes, devices. */
    private static final String WAITING = """
            epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 inotify_add_watch inotify_init
            inotify_init1 inotify_rm_watch ioctl pipe pipe2 poll ppoll pselect6 select""";

    /** QEMU's asynchronous disk I/O. */
    private static final String DISK_IO = """
            io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit""";

    /** Sockets, once made. */
    private static final String SOCKETS = """
            accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt
            shutdown socketpair""";

    private SandboxSeccomp() {}

    /** The profile, as {@code linux.seccomp} of a spec. */
    public static JsonObject profile() {
        JsonArray rules = new JsonArray();
        for (String names :
                new String[] {FILES, ATTRIBUTES, MEMORY, PROCESSES, CONFINEMENT, TIME, WAITING, DISK_IO, SOCKETS}) {
            rules.add(rule(names, ALLOW));
        }
        for (long family : SOCKET_FAMILIES) {
            rules.add(rule("socket", EQUAL, family));
        }
        rules.add(rule("socket", argument(0, EQUAL, AF_NETLINK), argument(PROTOCOL, EQUAL, NETLINK_ROUTE)));
        for (long[] commands : FILE_COMMANDS) {
            rules.add(rule("fcntl", masked(1, commands[0], commands[1])));
        }
        // Its own limits.
        rules.add(rule("prlimit64", masked(0, INT, 0)));
        rules.add(rule("clone", MASKED_EQUAL, NEW_NAMESPACES));
        // virtiofsd's worker threads.
        rules.add(rule("unshare", EQUAL, CLONE_FS));
        // Its flags lie in memory, where no filter sees them; libc falls back to clone.
        rules.add(missing("clone3"));
        // A second way to most calls, past the filter; QEMU falls back to threads.
        rules.add(missing("io_uring_enter io_uring_register io_uring_setup"));
        return Json.objectOf(
                "defaultAction",
                REFUSE,
                "defaultErrnoRet",
                EPERM,
                "architectures",
                Json.arrayOf(List.of("SCMP_ARCH_X86_64")),
                "syscalls",
                rules);
    }

    private static JsonObject rule(String names, String action) {
        JsonArray list = new JsonArray();
        int start = 0;
        while (start < names.length()) {
            int end = start;
            while (end < names.length() && names.charAt(end) > ' ') {
                end++;
            }
            list.add(names.substring(start, end));
            start = end + 1;
        }
        return Json.objectOf("names", list, "action", action);
    }

    /** Allows a call when all of these hold. */
    private static JsonObject rule(String name, JsonObject... arguments) {
        JsonArray all = new JsonArray();
        for (JsonObject argument : arguments) {
            all.add(argument);
        }
        JsonObject rule = rule(name, ALLOW);
        rule.add("args", all);
        return rule;
    }

    /** Allows a call when its first argument equals the value or, masked with the value, is zero. */
    private static JsonObject rule(String name, String comparison, long value) {
        return rule(name, argument(0, comparison, value));
    }

    private static JsonObject argument(int index, String comparison, long value) {
        return Json.objectOf("index", index, "value", value, "op", comparison);
    }

    private static JsonObject masked(int index, long mask, long value) {
        return Json.objectOf("index", index, "value", mask, "valueTwo", value, "op", MASKED_EQUAL);
    }

    private static JsonObject missing(String names) {
        JsonObject rule = rule(names, REFUSE);
        rule.addProperty("errnoRet", ENOSYS);
        return rule;
    }
}
