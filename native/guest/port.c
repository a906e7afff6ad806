/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/port.h"

#include "common/clock.h"
#include "common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_NAME "dkvm.agent\n"

/* Find the port's device by its name. Returns 0, -ENOENT. */
static int find(int sys, char *device, size_t size)
{
	char path[320], name[64];
	int fd = openat(sys, "class/virtio-ports", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int found = -ENOENT;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -ENOENT;
	}
	while (found < 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "class/virtio-ports/%s/name", entry->d_name);
		if (read_text(sys, path, name, sizeof name) < 0 || strcmp(name, PORT_NAME) != 0)
			continue;
		snprintf(device, size, "%s", entry->d_name);
		found = 0;
	}
	closedir(dir);
	return found;
}

/* The kernel tells of a port's name with an event of its own; any event is reason enough to look again. */
static int wait_for(int sys, char *device, size_t size)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = 1};
	auto_close int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int64_t deadline = now_millis() + PORT_WAIT_MILLIS;
	char event[8192];

	if (events < 0 || bind(events, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		return -errno;
	while (find(sys, device, size) < 0) {
		struct pollfd wait = {.fd = events, .events = POLLIN};
		int64_t left = deadline - now_millis();
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		while (recv(events, event, sizeof event, 0) > 0)
			;
	}
	return 0;
}

int port_open(int sys, int dev)
{
	char device[256];
	int r = find(sys, device, sizeof device);

	if (r < 0)
		r = wait_for(sys, device, sizeof device);
	if (r < 0)
		return r;
	int fd = openat(dev, device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlinkat(dev, device, 0);
	return fd;
}
