/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/terminal.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

void terminal_resize(int master, uint16_t rows, uint16_t columns)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};

	if (rows > 0 && columns > 0)
		ioctl(master, TIOCSWINSZ, &size);
}

int terminal_open_slave(int master)
{
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return slave < 0 ? -errno : slave;
}

static int use_slave(const char *path, uint32_t owner, enum terminal_role role)
{
	auto_close int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (slave < 0)
		return -errno;
	if (role != TERMINAL_OF_SESSION && mount(path, "/dev/console", NULL, MS_BIND, NULL) < 0)
		return -errno;
	if (role != TERMINAL_MACHINE && ioctl(slave, TIOCSCTTY, 0) < 0)
		return -errno;
	if (fchown(slave, owner, (gid_t)-1) < 0)
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			return -errno;
	return 0;
}

int terminal_use(const char *device, uint32_t owner, enum terminal_role role)
{
	char path[32];

	snprintf(path, sizeof path, "/dev/%s", device);
	return use_slave(path, owner, role);
}

int terminal_open(uint16_t rows, uint16_t columns, uint32_t owner, enum terminal_role role)
{
	char path[32];
	int unlocked = 0;
	unsigned number;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0)
		return -errno;
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0 || ioctl(master, TIOCGPTN, &number) < 0) {
		int error = errno;
		close(master);
		return -error;
	}
	snprintf(path, sizeof path, "/dev/pts/%u", number);
	terminal_resize(master, rows, columns);
	int r = use_slave(path, owner, role);
	if (r < 0) {
		close(master);
		return r;
	}
	return master;
}
