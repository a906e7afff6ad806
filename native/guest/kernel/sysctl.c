/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/system.h"

#include <errno.h>

int sysctl_path(char *name)
{
	size_t first = strcspn(name, "./");

	if (name[first] == '.')
		for (char *c = name; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	for (const char *part = name; part; part = strchr(part, '/')) {
		while (*part == '/')
			part++;
		size_t size = strcspn(part, "/");
		if (size == 0 || (part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.'))))
			return -EINVAL;
	}
	return 0;
}
