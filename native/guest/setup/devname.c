/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/devname.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int devname_parse(const char *line, struct devname *devname)
{
	char module[64], name[64], type;
	unsigned major_number, minor_number;

	if (sscanf(line, "%63s %63s %c%4u:%7u", module, name, &type, &major_number, &minor_number) != 5)
		return -EINVAL;
	if (module[0] == '#' || name[0] == '/' || strstr(name, "..") || (type != 'c' && type != 'b'))
		return -EINVAL;
	snprintf(devname->path, sizeof devname->path, "/dev/%s", name);
	devname->type = type == 'c' ? S_IFCHR : S_IFBLK;
	devname->number = makedev(major_number, minor_number);
	return 0;
}
