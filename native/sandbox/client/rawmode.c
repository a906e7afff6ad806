/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/rawmode.h"

#include <sys/ioctl.h>

void rawmode_enter(struct rawmode *mode, int fd)
{
	struct termios raw;

	mode->fd = fd;
	if (tcgetattr(fd, &mode->saved) < 0)
		return;
	raw = mode->saved;
	cfmakeraw(&raw);
	mode->raw = tcsetattr(fd, TCSANOW, &raw) == 0;
}

void rawmode_leave(struct rawmode *mode)
{
	/* Not TCSADRAIN: it would wait for a reader that may never come. */
	if (mode->raw)
		tcsetattr(mode->fd, TCSANOW, &mode->saved);
	mode->raw = false;
}

void window_size(int fd, uint16_t *rows, uint16_t *columns)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){0};
	*rows = size.ws_row;
	*columns = size.ws_col;
}
