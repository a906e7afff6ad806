/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/ownfiles.h"

#include "guest/early.h"
#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_PATH "/.dkvm/qemu-exit.sock"

/* A directory that we make, and the times of its parent before and after. */
struct made {
	const char *path, *parent;
	bool made;
	struct timespec before[2]; /* atime, mtime */
	struct timespec after;     /* mtime */
};

static struct made made[] = {
	{.path = "/opt", .parent = "/"},
	{.path = "/opt/dkvm", .parent = "/opt"},
	{.path = "/.dkvm", .parent = "/"},
};

static int make(struct made *m)
{
	struct stat st;

	if (stat(m->path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (stat(m->parent, &st) < 0 || mkdir(m->path, 0755) < 0)
		return -errno;
	m->made = true;
	m->before[0] = st.st_atim;
	m->before[1] = st.st_mtim;
	if (stat(m->parent, &st) == 0)
		m->after = st.st_mtim;
	return 0;
}

static void unmake(struct made *m)
{
	struct stat st;

	if (!m->made || stat(m->parent, &st) < 0 || rmdir(m->path) < 0)
		return;
	/* a parent that the workload changed keeps the time of that change */
	bool ours = st.st_mtim.tv_sec == m->after.tv_sec && st.st_mtim.tv_nsec == m->after.tv_nsec;
	const struct timespec times[2] = {ours ? m->before[0] : st.st_atim, ours ? m->before[1] : st.st_mtim};
	utimensat(AT_FDCWD, m->parent, times, 0);
}

/* What is shown at /opt/dkvm lies in the initramfs already: bound, not copied. */
static int mount_tools(void)
{
	int r = make(&made[0]);

	if (r == 0)
		r = make(&made[1]);
	if (r < 0)
		return r;
	if (fchdir(early.root) < 0)
		return -errno;
	if (mkdir("tools", 0755) < 0 || mkdir("tools/sbin", 0755) < 0 ||
	    rename("qemu-exit", "tools/sbin/qemu-exit") < 0 || mount("tools", "/opt/dkvm", NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, "/opt/dkvm", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		r = -errno;
	if (chdir("/") < 0)
		return -errno;
	return r;
}

static int mount_state(void)
{
	int r = make(&made[2]);

	if (r == 0 && mount("tmpfs", "/.dkvm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=1m") < 0)
		r = -errno;
	return r;
}

void ownfiles_mount(void)
{
	char text[64];
	int r = mount_tools();

	if (r < 0)
		log_text(LOG_LEVEL_INFO, "/opt/dkvm is left out: %s", error_text(r, text));
	r = mount_state();
	if (r < 0)
		log_text(LOG_LEVEL_INFO, "/.dkvm is left out: %s", error_text(r, text));
}

void ownfiles_remove(void)
{
	umount2("/opt/dkvm", UMOUNT_NOFOLLOW);
	umount2("/.dkvm", UMOUNT_NOFOLLOW);
	for (int i = (int)(sizeof made / sizeof made[0]) - 1; i >= 0; i--)
		unmake(&made[i]);
}

int ownfiles_exit_code(void)
{
	char text[16];
	struct stat st;
	auto_close int fd = open("/.dkvm/exit-code", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return exit_code_parse(text, 255);
}

int ownfiles_listen(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
	auto_close int fd = -1;
	struct stat st, root;

	/* only where our mount is: never leave a socket in the image */
	if (stat("/.dkvm", &st) < 0 || stat("/", &root) < 0 || st.st_dev == root.st_dev)
		return -ENOENT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(SOCKET_PATH, 0666) < 0 ||
	    listen(fd, 8) < 0)
		return -errno;
	int listening = fd;
	fd = -1;
	return listening;
}
