/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/devices.h"

#include "guest/setup/devname.h"
#include "guest/disks/disk_find.h"
#include "guest/early.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { DEVNAMES_SIZE = 16 * 1024 }; /* bytes; Debian's kernel for all machines has 1 KiB */

/* By number: another one may have taken the name that the kernel gave to this one. */
static int number_of(const char *serial, dev_t *number)
{
	char device[PATH_MAX], path[PATH_MAX + 32], text[32];
	char *rest;

	if (disk_find(serial, device, sizeof device) < 0)
		return -ENODEV;
	snprintf(path, sizeof path, "block/%s/dev", strrchr(device, '/') + 1);
	if (read_text(early.sys, path, text, sizeof text) <= 0)
		return -ENODEV;
	unsigned long major_number = strtoul(text, &rest, 10);
	if (*rest != ':')
		return -ENODEV;
	*number = makedev((unsigned)major_number, (unsigned)strtoul(rest + 1, NULL, 10));
	return 0;
}

static int make_parent(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof parent, "%s", path);
	*strrchr(parent, '/') = '\0';
	return make_dirs(parent, 0755);
}

/* The node of that number, whatever of the kernel's had the name; a link to the same device stays. */
static int make_node(const char *path, mode_t type, dev_t number)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_rdev == number)
		return 0;
	int r = make_parent(path);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return mknod(path, type | 0600, number) < 0 ? -errno : 0;
}

void devices_of_modules(void)
{
	static char list[DEVNAMES_SIZE];
	char path[PATH_MAX], *rest = list, *line;
	struct utsname kernel;
	struct devname device;

	uname(&kernel);
	snprintf(path, sizeof path, "/lib/modules/%s/modules.devname", kernel.release);
	if (read_text(AT_FDCWD, path, list, sizeof list) <= 0)
		return;
	while ((line = strsep(&rest, "\n")))
		if (devname_parse(line, &device) == 0 && make_parent(device.path) == 0)
			(void)mknod(device.path, device.type | 0600, device.number);
}

static int make_one(const struct device_record *device, struct failure *error)
{
	char path[PATH_MAX], serial[64], text[64];
	mode_t type = device->kind == DEVICE_BLOCK ? S_IFBLK : S_IFCHR;
	dev_t number = makedev(device->major, device->minor);

	if (span_copy(device->path, path, sizeof path) < 0 || span_copy(device->serial, serial, sizeof serial) < 0)
		return fail(error, -ENAMETOOLONG, "a device's name is too long");
	int r = device->kind == DEVICE_BLOCK ? number_of(serial, &number) : 0;
	if (r == 0)
		r = make_node(path, type, number);
	if (r == 0 && (chown(path, device->uid, device->gid) < 0 || chmod(path, device->mode) < 0))
		r = -errno;
	return r < 0 ? fail(error, r, "device %s can not be made: %s", path, error_text(r, text)) : 0;
}

int devices_make(const struct container *container, struct failure *error)
{
	struct record record;
	struct device_record device;
	size_t at = 0;
	int r = 0;

	while (r == 0 && container_next(container, RECORD_DEVICE, &at, &record)) {
		r = device_parse(&record, &device);
		if (r == 0)
			r = make_one(&device, error);
	}
	return r;
}
