/* SPDX-License-Identifier: Apache-2.0 */
#include "keep_pod.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char keep_build[512], keep_here[64];

bool keep_shell(const char *format, ...)
{
	char command[4096];
	va_list list;

	va_start(list, format);
	int n = vsnprintf(command, sizeof command, format, list);
	va_end(list);
	return n > 0 && n < (int)sizeof command && system(command) == 0;
}

bool keep_setup(void)
{
	ssize_t length = readlink("/proc/self/exe", keep_build, sizeof keep_build - 1);

	strcpy(keep_here, "/tmp/dkvm-test-XXXXXX");
	if (geteuid() != 0 || length < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	*strrchr(keep_build, '/') = '\0';
	if (!mkdtemp(keep_here) || chdir(keep_here) < 0)
		return false;
	/* a host's mounts are shared: /run is here, too, and in "elsewhere" */
	return keep_shell(
		"mount -t tmpfs -o mode=755 run /run && mkdir rootfs volume file.d outside sandbox elsewhere && "
		"mount --make-rshared / && mount --bind /run elsewhere && mkdir -p /run/dkvm/vms && "
		"mkdir volume/below volume/later volume/last && mount -t tmpfs below volume/below && "
		"echo text > file && touch rootfs/in-root volume/in-volume volume/below/in-below");
}

void keep_cleanup(void)
{
	if (chdir("/") == 0)
		keep_shell("umount -R /run; umount -l %s/* %s/volume/* 2> /dev/null; rm -rf --one-file-system %s",
			   keep_here, keep_here, keep_here);
}

static bool put(const char *id, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof path, "/run/dkvm/vms/%s", id);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return false;
	snprintf(path, sizeof path, "/run/dkvm/vms/%s/%s", id, name);
	FILE *file = fopen(path, "w");
	if (!file)
		return false;
	for (const char *p = text; *p; p++) {
		if (strncmp(p, "%h", 2) == 0) {
			fputs(keep_here, file);
			p++;
		} else {
			fputc(*p, file);
		}
	}
	return fclose(file) == 0;
}

bool keep_member(const char *id, const char *text)
{
	return put(id, "keep", "0 0\nsize=2m,nr_inodes=32,mode=700\n") && put(id, "vm.json", "{}") &&
	       put(id, "member", text);
}

bool keep_pod(const char *id)
{
	return put(id, "keep", "0 0\nsize=2m,nr_inodes=32,mode=700\n\npod\n") && put(id, "vm.json", "{}");
}

static void become(const char *command, const char *id, const char *program)
{
	char keep[600];
	int err = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(err, STDERR_FILENO);
	snprintf(keep, sizeof keep, "%s/dkvm-keep", keep_build);
	execl(keep, keep, command, id, program, (char *)NULL);
	_exit(124);
}

int keep_run(const char *command, const char *id, const char *program)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(command, id, program);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool keep_said(const char *text)
{
	char said[4096];
	FILE *file = fopen("said", "r");
	size_t n = file ? fread(said, 1, sizeof said - 1, file) : 0;

	if (file)
		fclose(file);
	said[n] = '\0';
	return strstr(said, text) != NULL;
}

void pod_begin(void)
{
	keep_pod("s");
	if (keep_run("begin", "s", "true") != 0)
		printf("# the pod does not begin\n");
}

static bool changes_something(long call)
{
	static const long calls[] = {SYS_mkdirat,    SYS_mount,   SYS_umount2,  SYS_open_tree,
				     SYS_move_mount, SYS_openat2, SYS_unlinkat, SYS_mount_setattr,
				     SYS_flock,      SYS_execve,  SYS_mkdir};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (calls[i] == call)
			return true;
	return false;
}

bool keep_killed_at(int call, const char *id)
{
	int status, seen = 0;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		become("begin", id, "true");
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	/* the first is that of dkvm-keep itself */
	for (bool started = false; ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid;) {
		struct __ptrace_syscall_info info = {0};

		if (WIFEXITED(status) || WIFSIGNALED(status))
			return false;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 ||
		    info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_something((long)info.entry.nr))
			continue;
		if (!started) {
			started = info.entry.nr == SYS_execve;
			continue;
		}
		if (seen++ < call)
			continue;
		/* at the entry: the call is not made; what came before it is */
		kill(pid, SIGKILL);
		return waitpid(pid, &status, 0) == pid && info.entry.nr != SYS_execve;
	}
	return false;
}
