/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/sysinit.h"

#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"
#include "guest/process/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A process with this at the start of its name outlives the last round of a shutdown, see systemd's ROOT_STORAGE_DAEMONS. */
#define NAME "@dkvm"
#define RUN_OPTIONS "mode=0755,size=20%,nr_inodes=800k" /* as systemd's own */
#define WANTS "/run/systemd/system/getty.target.wants"
#define CONSOLE_GETTY "/lib/systemd/system/console-getty.service"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define COMPAT AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define COMPAT AUDIT_ARCH_ARM
#else
#error "an architecture without numbers of its own here"
#endif

enum { COMPAT_REBOOT = 88, X32 = 0x40000000 };

/* The first value of a record, or that of a variable, as a string; empty where there is none, "?" where it has no room. */
static bool find(const struct process *process, uint16_t tag, const char *name, char *value, size_t size)
{
	struct record record;
	size_t at = 0, length = strlen(name);
	long n;

	value[0] = '\0';
	while ((n = record_parse(process->records.data + at, process->records.size - at, &record)) > 0) {
		at += (size_t)n;
		if (record.tag != tag || record.length < length || memcmp(record.value, name, length) != 0)
			continue;
		if (span_copy((struct span){record.value + length, record.length - length}, value, size) < 0)
			snprintf(value, size, "?");
		return true;
	}
	return false;
}

static bool kernel_tells(void)
{
	const uint32_t action = SECCOMP_RET_USER_NOTIF;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool sysinit_wanted(const struct process *process)
{
	static char name[PATH_MAX], path[PATH_MAX], program[PATH_MAX], real[PATH_MAX], container[64];

	if (process->uid != 0 || process->init || !find(process, RECORD_ARG, "", name, sizeof name))
		return false;
	find(process, RECORD_ENV, "PATH=", path, sizeof path);
	bool said = find(process, RECORD_ENV, "container=", container, sizeof container);
	return lookup_program(name, path, program) == 0 && realpath(program, real) &&
	       sysinit_is_machine(real, said ? container : NULL) && kernel_tells();
}

pid_t sysinit_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return 0;
	/* as PID 1 it could not be killed for want of memory */
	write_text(early.proc, "self/oom_score_adj", "-1000");
	early_rename(NAME);
	prctl(PR_SET_DUMPABLE, 0);
	return 1;
}

/* Whatever is mounted there, systemd leaves it. */
static bool has_run(void)
{
	struct stat run, root;

	if (stat("/run", &run) < 0 || stat("/", &root) < 0)
		return false;
	return run.st_dev != root.st_dev ||
	       mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, RUN_OPTIONS) == 0;
}

/*
 * A login on the kernel's console, which systemd would start by itself, waits for udev to have seen the device: 90 seconds
 * where there is no udev, or a busy host. The unit that is for containers' consoles waits for nothing.
 */
static void log_in_on_console(void)
{
	mount("/dev/null", "/sys/class/tty/console/active", NULL, MS_BIND, NULL);
	if (has_run() && make_dirs(WANTS, 0755) == 0 && symlink(CONSOLE_GETTY, WANTS "/console-getty.service") < 0)
		log_kernel("no login on the console: %s", strerrordesc_np(errno));
}

void sysinit_prepare(void)
{
	/* the engine's mark, by which systemd would know a container; a read-only root keeps it */
	unlink("/.dockerenv");
	log_in_on_console();
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define GO_WHEN(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

int sysinit_catch_reboots(void)
{
	static struct sock_filter filter[] = {
		LOAD(arch),
		GO_WHEN(NATIVE, 0, 3),
		LOAD(nr),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)X32),
		GO_WHEN(SYS_reboot, 4, 3),
		GO_WHEN(COMPAT, 0, 2),
		LOAD(nr),
		GO_WHEN(COMPAT_REBOOT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);

	return fd < 0 ? -errno : (int)fd;
}

/* A capability in a user namespace below is none of the machine's. */
static bool is_of_machine(pid_t pid)
{
	char path[32];
	struct stat own, other;

	snprintf(path, sizeof path, "%d/ns/user", (int)pid);
	return fstatat(early.proc, "self/ns/user", &own, 0) == 0 && fstatat(early.proc, path, &other, 0) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int sysinit_take_reboot(int listener)
{
	struct seccomp_notif asked = {0};
	char path[32], status[4096];

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return errno == EINTR || errno == ENOENT ? 0 : -errno;
	struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	snprintf(path, sizeof path, "%u/status", asked.pid);
	const uint64_t *args = (const uint64_t *)asked.data.args;
	if (sysinit_is_end((uint32_t)args[0], (uint32_t)args[1], (uint32_t)args[2]) &&
	    read_text(early.proc, path, status, sizeof status) > 0 && sysinit_may_reboot(status) &&
	    is_of_machine((pid_t)asked.pid))
		return 1; /* it waits for what never comes */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return 0;
}
