/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/early.h"

#include "common/files.h"
#include "guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MODULES_LIST_SIZE = 32 * 1024 }; /* bytes */

struct early early = {.root = -1, .proc = -1, .sys = -1, .exe = -1};

static int mount_one(const char *type, const char *target, unsigned long flags)
{
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mount(type, target, type, flags, NULL) < 0 ? -errno : 0;
}

static int open_null(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (null != fd && dup2(null, fd) < 0)
			return -errno;
	if (null > 2)
		close(null);
	return 0;
}

int early_open(void)
{
	int r = mount_one("devtmpfs", "/dev", MS_NOSUID);

	if (r == 0 || r == -EBUSY)
		r = open_null();
	if (r == 0)
		r = mount_one("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (r == 0)
		r = mount_one("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (r < 0)
		return r;
	early.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	early.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	early.sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	early.exe = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return early.root < 0 || early.proc < 0 || early.sys < 0 || early.exe < 0 ? -errno : 0;
}

void early_raise_limits(void)
{
	getrlimit(RLIMIT_NOFILE, &early.files);
	const struct rlimit raised = {early.files.rlim_max, early.files.rlim_max};
	setrlimit(RLIMIT_NOFILE, &raised);
}

static char *name_in_list;

void early_named(char *name)
{
	name_in_list = name;
}

/* Its place is as long as the name that the kernel gave. */
void early_rename(const char *name)
{
	size_t size = strlen(name_in_list), wanted = strlen(name);

	memset(name_in_list, 0, size);
	memcpy(name_in_list, name, wanted < size ? wanted : size);
	prctl(PR_SET_NAME, name);
}

/* Lists name modules from the initramfs's root on, whatever is the root by now. */
static void load_module(const char *path)
{
	char text[64];
	auto_close int fd = openat(early.root, path + strspn(path, "/"), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		log_kernel("module %s: %s", path, error_text(errno, text));
}

void early_load_modules(const char *name)
{
	static char list[MODULES_LIST_SIZE];
	char *rest = list, *line;

	if (read_text(early.root, name, list, sizeof list) <= 0)
		return;
	while ((line = strsep(&rest, "\n")))
		if (line[0] && line[0] != '#')
			load_module(line);
}
