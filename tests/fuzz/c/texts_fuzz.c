/* SPDX-License-Identifier: Apache-2.0 */
/* Small texts that an image, a program or the kernel wrote: devices of modules, settings, exit codes, /proc/PID/status. */
#include "fuzz.h"

#include "guest/setup/ownfiles.h"
#include "guest/process/sysinit.h"
#include "guest/session/awaited.h"
#include "guest/setup/devname.h"
#include "guest/kernel/system.h"

#include <sys/stat.h>

/* Whether a path leads up. */
static bool leads_up(const char *path)
{
	for (const char *name = path; name; name = strchr(name, '/')) {
		name += *name == '/';
		if (strncmp(name, "..", 2) == 0 && (name[2] == '/' || !name[2]))
			return true;
	}
	return false;
}

static void devices(const char *line)
{
	struct devname device;

	memset(&device, 'x', sizeof device);
	if (devname_parse(line, &device) < 0)
		return;
	HOLDS(memchr(device.path, '\0', sizeof device.path) && strncmp(device.path, "/dev/", 5) == 0);
	HOLDS(!leads_up(device.path));
	HOLDS(device.type == S_IFCHR || device.type == S_IFBLK);
}

static void settings(char *name)
{
	size_t size = strlen(name);

	HOLDS(sysctl_path(name) < 0 || (name[0] && !leads_up(name)));
	HOLDS(strlen(name) == size);
}

static void numbers(const char *text)
{
	for (int most = 127; most <= 255; most += 128) {
		int code = exit_code_parse(text, most);

		HOLDS(code >= -1 && code <= most);
		HOLDS(code < 0 || strtol(text, NULL, 10) == code);
	}
	for (int number = 1; number <= 64; number++)
		signal_in_status(text, number);
	HOLDS(!sysinit_may_reboot(text) || strstr(text, "\nCapEff:"));
	HOLDS(signal_meant_for(text, 2) == 2);
	HOLDS((signal_meant_for(text, 15) != 15) == sysinit_is_machine(text, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};

	while (in.left > 0) {
		char *text = take_text(&in);

		devices(text);
		numbers(text);
		settings(text);
		free(text);
	}
	return 0;
}
