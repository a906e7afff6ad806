/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkvm-keep: what the launcher runs on the host, so that a VM's log can be read, also when the VM is gone.
 *
 *     dkvm-keep begin ID PROGRAM [ARGUMENT]...
 *     dkvm-keep end ID PROGRAM [ARGUMENT]...
 *     dkvm-keep forget ID
 *     dkvm-keep restore BUNDLE
 *     dkvm-keep print ID FILE FIRST LAST
 *
 * "begin" gives the VM a small filesystem in memory for its log, at /run/dkvm/vms/ID/log, which is bound into its sandbox: that one can
 * fill it and nothing else of the host; it then becomes PROGRAM. "end" runs PROGRAM, which deletes the container; where it has, it keeps what is
 * in the log below /var/log/dkvm, or in a user's cache, with bounds, and takes the VM's directory away. "forget" does so where nobody else does. Both take a
 * template out of use from which the VM could not be restored. "restore", a hook of the sandbox's creation, gives the bundle its
 * config.json back as the engine wrote it. "print" writes a file of a VM that is there to standard output: its first and last bytes.
 *
 * Of the container that holds a pod, which the keep file says, "begin" makes the pod's directory as well (podshare.h), and hands down what
 * leads localhost of its network to the VM (forward.h); "end" and "forget" remove the directory with all that is mounted there. A container
 * that is a member of a pod has a file "member" in its directory, and no log: "begin" mounts its slots into the pod's VM, "end" and "forget"
 * take them out.
 */
#include "common/failure.h"
#include "common/files.h"
#include "host/keep/forward.h"
#include "host/keep/podshare.h"
#include "host/keep/vmlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* whoever may not write there has places of its own below $XDG_RUNTIME_DIR; create makes "cache" there, a link */
#define SYSTEM "/run"
/* in the log: the VM could not be restored */
#define NOT_RESTORED "not-restored"

/*
 * create's words to us: "VMS BYTES" in the first line, the log filesystem's options in the second, the name of its template's directory in the
 * third, "pod" in the fourth where it holds a pod; in the fifth, where localhost of the pod's network namespace leads to its VM, "PORT PATH"
 * of forward_open()
 */
#define KEEP "keep"
#define HOLDS_POD "pod"

/* create's copy of a bundle's config.json, which it has made the sandbox's */
#define ENGINES_SPEC "dkvm-engine.json"

/* in a template's directory: one without it is none */
#define TEMPLATE_RECORD "template.json"

enum { COMMAND_MOST = 64 /* words */, KEEP_SIZE = 1024, TEMPLATE_LENGTH = 73 /* 64 digits, a point, 8 digits */ };

struct keep {
	struct vmlog_limits limits;
	char options[KEEP_SIZE];
	char template[TEMPLATE_LENGTH + 1]; /* its directory's name; empty: none */
	bool pod;
	uint16_t own_port;
	char network[KEEP_SIZE]; /* the path of the pod's namespace; empty: its localhost is nobody's */
};

/* Short enough for what is below them. */
struct places {
	char vms[PATH_MAX / 4];
	char kept[PATH_MAX / 4];
	char templates[PATH_MAX / 4];
};

static struct places places = {"/run/dkvm/vms", "/var/log/dkvm", "/var/cache/dkvm/templates"};

static int complain(const char *id, const char *what, int error)
{
	char text[64];

	dprintf(STDERR_FILENO, "dkvm-keep: the log of \"%s\" can not be %s: %s\n", id, what, error_text(error, text));
	return 1;
}

static int complain_of_pod(const char *id, const char *what)
{
	dprintf(STDERR_FILENO, "dkvm-keep: \"%s\" can not be part of a pod: %s\n", id, what);
	return 1;
}

/* The host's root: of a namespace that maps all ids, see user_namespaces(7). */
static bool is_hosts_root(void)
{
	char map[128];
	unsigned long inside, outside, count;

	return geteuid() == 0 && read_text(AT_FDCWD, "/proc/self/uid_map", map, sizeof map) > 0 &&
	       sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 &&
	       count == UINT32_MAX;
}

/* A user's, where we are a user: "root" of its namespace of users is one. The host's root stays so where /run is
   read-only: a directory that a variable names may be anybody's. */
static int find_places(void)
{
	const char *own = getenv("XDG_RUNTIME_DIR");

	if (faccessat(AT_FDCWD, SYSTEM, W_OK, AT_EACCESS) == 0 || is_hosts_root() || !own || own[0] != '/')
		return 0;
	if (strlen(own) >= sizeof places.vms - sizeof "/dkvm/cache/templates")
		return -ENAMETOOLONG;
	snprintf(places.vms, sizeof places.vms, "%s/dkvm/vms", own);
	snprintf(places.kept, sizeof places.kept, "%s/dkvm/cache/log", own);
	snprintf(places.templates, sizeof places.templates, "%s/dkvm/cache/templates", own);
	return 0;
}

static int open_vm(const char *id)
{
	char path[PATH_MAX];

	if (vmlog_check_id(id) < 0)
		return -EINVAL;
	snprintf(path, sizeof path, "%s/%s", places.vms, id);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_keep(int vm, struct keep *keep)
{
	char text[KEEP_SIZE];
	ssize_t n = read_text(vm, KEEP, text, sizeof text);

	if (n < 0)
		return (int)n;
	char *line = strchr(text, '\n');
	if (!line)
		return -EINVAL;
	char *end;
	keep->limits.vms = strtoul(text, &end, 10);
	keep->limits.bytes = strtoll(end, NULL, 10);
	line++;
	char *template = line + strcspn(line, "\n");
	if (*template)
		*template ++ = '\0';
	memcpy(keep->options, line, strlen(line) + 1);
	char *pod = template + strcspn(template, "\n");
	if (*pod)
		*pod++ = '\0';
	char *network = pod + strcspn(pod, "\n");
	if (*network)
		*network++ = '\0';
	network[strcspn(network, "\n")] = '\0';
	keep->own_port = (uint16_t)strtoul(network, &network, 10);
	network += strspn(network, " ");
	memcpy(keep->network, network, strlen(network) + 1);
	keep->pod = strcmp(pod, HOLDS_POD) == 0;
	if (strlen(template) == TEMPLATE_LENGTH && strspn(template, "0123456789abcdef.") == TEMPLATE_LENGTH &&
	    template[0] != '.')
		memcpy(keep->template, template, TEMPLATE_LENGTH + 1);
	return 0;
}

/* The filesystem of its log. */
static int mount_log(const char *id, const struct keep *keep)
{
	char log[PATH_MAX];

	snprintf(log, sizeof log, "%s/%s/log", places.vms, id);
	/* one of that name that nobody took away */
	umount2(log, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (mkdir(log, 0700) < 0 && errno != EEXIST)
		return -errno;
	return mount("dkvm", log, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, keep->options) < 0 ? -errno : 0;
}

static int open_vms(void)
{
	int fd = open(places.vms, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* 0, or a code to exit with. */
static int begin(const char *id, struct keep *keep)
{
	struct failure failure = {""};
	auto_close int vm = open_vm(id);

	if (vm >= 0 && podshare_is_member(vm)) {
		auto_close int vms = open_vms();
		return podshare_join(vms, vm, &failure) < 0 ? complain_of_pod(id, failure.text) : 0;
	}
	int r = vm < 0 ? vm : read_keep(vm, keep);
	if (r == 0)
		r = mount_log(id, keep);
	/* without it the sandbox would write to the host's own /run */
	if (r < 0)
		return complain(id, "prepared", r);
	return keep->pod && podshare_make(vm, keep->options, &failure) < 0 ? complain_of_pod(id, failure.text) : 0;
}

/*
 * Whether there is something to hand down to the sandbox, see forward.h; no other descriptor of ours is open. Without it the pod goes on: that
 * is said in its log, where the monitor goes on.
 */
static bool forward(const char *id, const struct keep *keep)
{
	struct failure failure;

	if (!keep->pod || !keep->network[0])
		return false;
	if (forward_open(keep->network, keep->own_port, &failure) == 0)
		return true;
	auto_close int vm = open_vm(id);
	auto_close int log =
		openat(vm, "log/monitor.log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	dprintf(log, "0 localhost of the pod can not be reached from the host (kubectl port-forward): %s\n",
		failure.text);
	return false;
}

/* Become runc. Options come before the container's id, which is its last argument. */
static int become(char **command, bool forwards)
{
	char *with[COMMAND_MOST + 3] = {NULL}, count[] = {'0' + FORWARD_HANDED, '\0'};
	size_t size = 0;

	while (command[size])
		size++;
	if (forwards && size > 0 && size < COMMAND_MOST) {
		memcpy(with, command, (size - 1) * sizeof *command);
		with[size - 1] = "--preserve-fds";
		with[size] = count;
		with[size + 1] = command[size - 1];
		command = with;
	}
	execvp(command[0], command);
	dprintf(STDERR_FILENO, "dkvm-keep: can not start %s: %s\n", command[0], strerror(errno));
	return 1;
}

/* Who makes templates the next time removes the rest of it. */
static void retire_template(int vm, const struct keep *keep)
{
	char path[PATH_MAX];
	struct stat st;

	if (!keep->template[0] || fstatat(vm, "log/" NOT_RESTORED, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	snprintf(path, sizeof path, "%s/%s", places.templates, keep->template);
	auto_close int directory = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	unlinkat(directory, TEMPLATE_RECORD, 0);
}

static int keep_log(int vm, const char *id)
{
	struct keep keep = {0};
	int r = read_keep(vm, &keep);

	if (r < 0)
		return r;
	retire_template(vm, &keep);
	if (keep.limits.vms > 0 && mkdir(places.kept, 0700) < 0 && errno != EEXIST)
		return -errno;
	auto_close int kept = open(places.kept, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (kept < 0)
		return errno == ENOENT && keep.limits.vms == 0 ? 0 : -errno;
	if (keep.limits.vms > 0)
		r = vmlog_keep(vm, kept, id);
	int pruned = vmlog_prune(kept, &keep.limits);
	return r < 0 ? r : pruned;
}

static int end(const char *id)
{
	char path[PATH_MAX];
	auto_close int vm = open_vm(id);

	if (vm < 0)
		return vm;
	bool member = podshare_is_member(vm);
	auto_close int vms = open_vms();
	int r = member ? podshare_leave(vms, vm, id) : podshare_remove(vm);
	/* as long as something is mounted there, it is known by its directory */
	if (r < 0)
		return r;
	if (!member)
		r = keep_log(vm, id);
	snprintf(path, sizeof path, "%s/%s/log", places.vms, id);
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	unlinkat(vm, "log", AT_REMOVEDIR);
	unlinkat(vm, POD_MEMBER, 0);
	unlinkat(vm, KEEP, 0);
	unlinkat(vm, VMLOG_RECORD, 0);
	snprintf(path, sizeof path, "%s/%s", places.vms, id);
	rmdir(path);
	return r;
}

/* As if PROGRAM had been called in our place: its exit code is ours, and it does not outlive us. */
static int run(char **command)
{
	int status;
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
			_exit(1);
		execvp(command[0], command);
		dprintf(STDERR_FILENO, "dkvm-keep: can not start %s: %s\n", command[0], strerror(errno));
		_exit(1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (pid < 0) {
		dprintf(STDERR_FILENO, "dkvm-keep: %s\n", strerror(errno));
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int forget(const char *id)
{
	int r = end(id);

	return r < 0 && r != -ENOENT ? complain(id, "kept", r) : 0;
}

/* Neither a failure of ours nor words that nobody reads keep a container from being made. */
static int restore(const char *bundle)
{
	char state[512];
	auto_close int directory = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (read(STDIN_FILENO, state, sizeof state) > 0)
		continue;
	if (directory < 0 || (renameat(directory, ENGINES_SPEC, directory, "config.json") < 0 && errno != ENOENT))
		dprintf(STDERR_FILENO, "dkvm-keep: %s: config.json can not be restored: %s\n", bundle, strerror(errno));
	return 0;
}

static int print(const char *id, const char *name, const char *first, const char *last)
{
	auto_close int vm = open_vm(id);
	auto_close int log = vm < 0 ? -1 : openat(vm, "log", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (strchr(name, '/') || log < 0)
		return complain(id, "read", vm < 0 ? vm : -ENOENT);
	int r = vmlog_copy(log, name, STDOUT_FILENO, strtoll(first, NULL, 10), strtoll(last, NULL, 10));
	return r == 0 || r == -ENOENT ? 0 : complain(id, "read", r);
}

int main(int argc, char **argv)
{
	int r = find_places();

	if (r < 0)
		return complain(argc > 2 ? argv[2] : "", "found", r);
	if (argc == 6 && strcmp(argv[1], "print") == 0)
		return print(argv[2], argv[3], argv[4], argv[5]);
	if (argc == 3 && strcmp(argv[1], "forget") == 0)
		return forget(argv[2]);
	if (argc == 3 && strcmp(argv[1], "restore") == 0)
		return restore(argv[2]);
	if (argc < 4) {
		dprintf(STDERR_FILENO, "usage: dkvm-keep begin|end ID PROGRAM [ARGUMENT]... | forget ID | "
				       "restore BUNDLE | print ID FILE FIRST LAST\n");
		return 2;
	}
	if (strcmp(argv[1], "end") == 0) {
		/* a VM that runs is not deleted unless it is asked for by force */
		r = run(argv + 3);
		if (r == 0)
			forget(argv[2]);
		return r;
	}
	struct keep keep = {0};

	r = begin(argv[2], &keep);
	return r ? r : become(argv + 3, forward(argv[2], &keep));
}
