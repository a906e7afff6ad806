/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks/disk_find.h"

#include "common/clock.h"
#include "common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { DISK_WAIT_MILLIS = 10000 };

static int find_serial(const char *serial, char *device, size_t size)
{
	char path[320], found[64];
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	int r = -ENODEV;

	if (!dir)
		return -ENODEV;
	while (r < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof path, "/sys/block/%s/serial", entry->d_name);
		if (read_text(AT_FDCWD, path, found, sizeof found) < 0)
			continue;
		found[strcspn(found, "\n")] = '\0';
		if (strcmp(found, serial) != 0)
			continue;
		snprintf(device, size, "/dev/%s", entry->d_name);
		r = 0;
	}
	closedir(dir);
	return r;
}

static int find(const char *source, char *device, size_t size)
{
	struct stat st;

	if (source[0] != '/')
		return find_serial(source, device, size);
	snprintf(device, size, "%s", source);
	return stat(source, &st) == 0 && S_ISBLK(st.st_mode) ? 0 : -ENODEV;
}

int disk_find(const char *source, char *device, size_t size)
{
	int64_t deadline = now_millis() + DISK_WAIT_MILLIS;
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int r;

	while ((r = find(source, device, size)) < 0 && now_millis() < deadline)
		nanosleep(&pause, NULL);
	return r;
}
