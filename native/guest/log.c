/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/log.h"

#include "common/channel.h"
#include "common/frame.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int kmsg = -1;

void log_open(void)
{
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

static void to_kernel(const char *text)
{
	char line[LOG_TEXT_MAX + 16];
	int n = snprintf(line, sizeof line, "<3>dkvm: %s\n", text);

	if (kmsg >= 0 && n > 0 && write(kmsg, line, (size_t)n) < 0)
		return; /* nobody else to tell */
}

void log_text(enum log_level level, const char *format, ...)
{
	char text[1 + LOG_TEXT_MAX];
	va_list list;

	va_start(list, format);
	vsnprintf(text + 1, sizeof text - 1, format, list);
	va_end(list);
	text[0] = (char)level;
	if (channel_send(FRAME_LOG, 0, text, (uint32_t)(1 + strlen(text + 1))) < 0)
		to_kernel(text + 1);
}

void log_kernel(const char *format, ...)
{
	char text[LOG_TEXT_MAX];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	to_kernel(text);
}
