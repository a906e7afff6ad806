/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/spawn_child.h"

#include "guest/kernel/cgroups.h"
#include "guest/process/credentials.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/process/lookup.h"
#include "common/messages.h"
#include "common/place.h"
#include "guest/process/passwd.h"
#include "guest/process/reaper.h"
#include "common/signals.h"
#include "guest/process/spawn.h"
#include "guest/process/sysinit.h"
#include "guest/process/terminal.h"
#include "guest/process/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int status_fd;
static bool is_machine; /* it is PID 1 of the VM */

/* The end of the VM's PID 1 would be a panic: the agent has heard, and ends the machine. */
static _Noreturn void end(int code)
{
	while (is_machine)
		pause();
	_exit(code);
}

static void send_report(enum report_kind kind, uint32_t number, int fd, const char *text)
{
	static struct report report;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec part = {&report, sizeof report};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	report.kind = kind;
	report.number = number;
	snprintf(report.text, sizeof report.text, "%s", text);
	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
	}
	if (sendmsg(status_fd, &message, MSG_NOSIGNAL) < 0)
		end(CODE_SETUP_FAILED);
}

static _Noreturn void give_up(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

static _Noreturn void give_up(int code, const char *format, ...)
{
	char text[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	send_report(REPORT_FAILED, (uint32_t)code, -1, text);
	end(code);
}

/* For what can fail only for reasons that are not the user's. */
static void must(int r, const char *what)
{
	char text[64];

	if (r < 0)
		give_up(CODE_SETUP_FAILED, "%s: %s", what, error_text(r, text));
}

/* As runc: the pipes belong to the user, so that /dev/stdout can be opened by its name. */
static int use_pipe(int fd, int as, uint32_t owner)
{
	if (fd < 0)
		return 0;
	if (fchown(fd, owner, (gid_t)-1) < 0 || dup2(fd, as) < 0)
		return -errno;
	return 0;
}

/* What the terminal is bound to. */
static void make_console(void)
{
	auto_close int fd = open("/dev/console", O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);

	must(fd < 0 ? -errno : 0, "/dev/console");
}

static void open_standard_streams(const struct child *child)
{
	const struct process *p = child->process;
	enum terminal_role role = child->first ? TERMINAL_CONSOLE : TERMINAL_OF_SESSION;

	if (is_machine)
		role = TERMINAL_MACHINE;
	if (child->member && child->first && p->terminal)
		make_console();
	if (p->terminal && p->direct) {
		char text[64];
		int r = terminal_use(p->device, p->uid, role);
		if (r < 0)
			give_up(CODE_SETUP_FAILED, MESSAGE_DEVICE, p->device, error_text(r, text));
		return;
	}
	if (p->terminal) {
		int master = terminal_open(p->rows, p->columns, p->uid, role);
		must(master, "terminal");
		send_report(REPORT_TERMINAL, 0, master, "");
		close(master);
		return;
	}
	must(use_pipe(child->input, 0, p->uid), "stdin");
	must(use_pipe(child->output, 1, p->uid), "stdout");
	must(use_pipe(child->error, 2, p->uid), "stderr");
}

static void set_limits(const struct process *process)
{
	struct rlimit_record record;
	size_t at = 0;
	char number[32];

	snprintf(number, sizeof number, "%d", process->oom_score_adj);
	must(write_text(early.proc, "self/oom_score_adj", number), "oom_score_adj");
	/* no file is opened from here on: the agent's own may be more than the limit */
	must(setrlimit(RLIMIT_NOFILE, &early.files) < 0 ? -errno : 0, "setrlimit");
	while (process_next_rlimit(process, &at, &record)) {
		const struct rlimit limit = {record.soft, record.hard};
		must(setrlimit((__rlimit_resource_t)record.resource, &limit) < 0 ? -errno : 0, "setrlimit");
	}
}

static const char *working_directory(const struct process *process)
{
	static char path[4096];

	if (process->cwd.size == 0 || span_copy(process->cwd, path, sizeof path) < 0)
		return "/";
	return path;
}

/*
 * One of several containers is not to get out of its root by what we have open: no link of /proc/self/fd is followed. A VM of one has nobody
 * else in it.
 */
static int make_directory(const struct child *child, const char *path)
{
	if (!child->member)
		return make_dirs(path, 0755);
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int made = root < 0 ? -errno : place_make(root, path, true);
	return made < 0 ? made : 0;
}

/* Only the first process's directory is made where it is missing: exec sessions find theirs, or fail. */
static void make_working_directory(const struct child *child)
{
	const char *path = working_directory(child->process);
	char text[64];

	int r = child->first ? make_directory(child, path) : 0;

	if (r < 0)
		give_up(r == -ENOTDIR ? CODE_NOT_EXECUTABLE : CODE_SETUP_FAILED, MESSAGE_MKDIR, path,
			error_text(r, text));
}

static int enter_directory(const struct child *child, const char *path)
{
	if (!child->member)
		return chdir(path) < 0 ? -errno : 0;
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int found = root < 0 ? -errno : place_find_directory(root, path);

	if (found < 0)
		return found;
	return fchdir(found) < 0 ? -errno : 0;
}

/* As root first, for a directory that the user may not enter; then, if root may not, as the user. */
static bool change_directory(const struct child *child, bool again)
{
	const char *path = working_directory(child->process);
	char text[64];

	int r = enter_directory(child, path);
	if (r == 0)
		return true;
	if (!again && (r == -EACCES || r == -EPERM))
		return false;
	give_up(r == -ENOENT ? CODE_NOT_FOUND : CODE_NOT_EXECUTABLE, MESSAGE_CHDIR, path, error_text(r, text));
}

static bool is_env(const char *entry, const char *name)
{
	size_t size = strlen(name);

	return strncmp(entry, name, size) == 0 && entry[size] == '=';
}

static const char *find_env(char **envp, const char *name)
{
	const char *found = NULL;

	for (; *envp; envp++)
		if (is_env(*envp, name))
			found = *envp + strlen(name) + 1;
	return found;
}

static void drop_env(char **envp, const char *name)
{
	char **to = envp;

	for (; *envp; envp++)
		if (!is_env(*envp, name))
			*to++ = *envp;
	*to = NULL;
}

/* Where an entry of that name stands, else the first free place. */
static char **env_place(char **envp, const char *name)
{
	while (*envp && !is_env(*envp, name))
		envp++;
	return envp;
}

static void run_program(char **argv, char **envp)
{
	char program[PATH_MAX], text[64];
	int r = lookup_program(argv[0], find_env(envp, "PATH"), program);

	if (r == -ESRCH)
		give_up(CODE_NOT_FOUND, MESSAGE_NOT_IN_PATH, argv[0]);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENAMETOOLONG)
		give_up(r == -ENOENT ? CODE_NOT_FOUND : CODE_NOT_EXECUTABLE, MESSAGE_MISSING, argv[0], argv[0],
			error_text(r, text));
	if (r < 0)
		give_up(CODE_NOT_EXECUTABLE, MESSAGE_NOT_EXECUTABLE, argv[0], error_text(r, text));
	send_report(REPORT_PID, (uint32_t)getpid(), -1, "");
	execve(program, argv, envp);
	give_up(CODE_EXEC_FAILED, MESSAGE_EXEC, program, error_text(errno, text));
}

static void tell_reboots(const struct child *child)
{
	if (!child->sysinit)
		return;
	if (is_machine)
		sysinit_prepare();
	int listener = sysinit_catch_reboots();
	if (listener < 0 && !is_machine)
		return; /* a filter that the workload made for all has one already */
	must(listener, "seccomp");
	send_report(REPORT_REBOOTS, 0, listener, "");
	close(listener);
}

/* The agent's own program is the init: it sees by its name what it is to do. */
static void run_init(char **argv, uint32_t args, char **envp)
{
	char **with_init = calloc(args + 3, sizeof *with_init);
	static char end_of_options[] = "--";
	char text[64];

	must(with_init ? 0 : -ENOMEM, "arguments");
	with_init[0] = (char *)(uintptr_t)REAPER_NAME;
	with_init[1] = end_of_options;
	for (uint32_t i = 0; i < args; i++)
		with_init[i + 2] = argv[i];
	send_report(REPORT_PID, (uint32_t)getpid(), -1, "");
	syscall(SYS_execveat, early.exe, "", with_init, envp, AT_EMPTY_PATH);
	give_up(CODE_EXEC_FAILED, MESSAGE_EXEC, REAPER_NAME, error_text(errno, text));
}

static _Noreturn void run(const struct child *child, const char *home)
{
	struct process *process = child->process;
	char **argv = calloc(process->args + 1, sizeof *argv);
	char **envp = calloc(process->envs + 2, sizeof *envp);
	static char set_home[5 + PATH_MAX];

	must(argv && envp ? 0 : -ENOMEM, "arguments");
	process_strings(process, argv, envp);
	if (process->set_home) {
		snprintf(set_home, sizeof set_home, "HOME=%s", home);
		*env_place(envp, "HOME") = set_home; /* an empty one stands for none */
	}
	if (process->init && child->first)
		run_init(argv, process->args, envp);
	if (is_machine)
		drop_env(envp, "container"); /* an engine's word, see sysinit_is_machine */
	run_program(argv, envp);
	end(CODE_SETUP_FAILED);
}

/* To the agent, for the time when this process is dead. */
static void give_mounts(void)
{
	auto_close int mounts = openat(early.proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	must(mounts < 0 ? -errno : 0, "namespaces");
	send_report(REPORT_MOUNTS, 0, mounts, "");
}

static void enter(const struct child *child)
{
	static struct failure error;

	if (!child->member) {
		must(cgroups_join(child->first ? 0 : workload_first()), "cgroup");
		must(workload_enter(child->first), "namespaces");
	} else if (!child->first) {
		must(member_enter(child->member), "namespaces");
	} else if (member_leave_agent(child->member, &error) < 0) {
		give_up(CODE_SETUP_FAILED, "%s", error.text);
	} else {
		give_mounts();
		if (member_enter_first(child->member, &error) < 0)
			give_up(CODE_SETUP_FAILED, "%s", error.text);
	}
}

static int by_number(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

/* A copy of what the agent has open is nothing for a process that others of the pod may look at. */
static void keep_only(const struct child *child)
{
	int kept[] = {child->status, child->input, child->output, child->error, early.proc, early.exe};
	unsigned int from = 3;

	qsort(kept, sizeof kept / sizeof kept[0], sizeof kept[0], by_number);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		if (kept[i] < (int)from)
			continue;
		if (kept[i] > (int)from)
			close_range(from, (unsigned int)kept[i] - 1, 0);
		from = (unsigned int)kept[i] + 1;
	}
	close_range(from, ~0u, 0);
}

/* As long as devices are not told apart in the guest, a container of several makes none, unless it may do anything. */
static void take_devices(const struct child *child)
{
	struct process *process = child->process;

	if (!process->has_capabilities || (process->capabilities[CAPS_BOUNDING] >> CAP_SYS_ADMIN & 1))
		return;
	for (int set = 0; set < CAPS_SETS; set++)
		process->capabilities[set] &= ~(UINT64_C(1) << CAP_MKNOD);
}

_Noreturn void child_run(const struct child *child)
{
	struct process *process = child->process;
	char home[PATH_MAX];

	status_fd = child->status;
	signals_reset(process->ignored_signals);
	is_machine = child->sysinit && child->first && !child->member;
	enter(child);
	if (child->member) {
		keep_only(child);
		take_devices(child);
	}
	tell_reboots(child);
	setsid();
	umask(0022);
	make_working_directory(child);
	open_standard_streams(child);
	if (process->set_home)
		passwd_home("/etc/passwd", process->uid, home, sizeof home);
	set_limits(process);
	bool there = change_directory(child, false);
	must(credentials_take_user(process), "user");
	if (!there)
		change_directory(child, true);
	must(credentials_finish(process), "capabilities");
	umask(process->umask);
	run(child, home);
}
