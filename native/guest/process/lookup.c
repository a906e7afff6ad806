/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(const char *program)
{
	struct stat st;

	if (stat(program, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, program, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int lookup_program(const char *name, const char *path, char program[static PATH_MAX])
{
	if (strchr(name, '/')) {
		if (snprintf(program, PATH_MAX, "%s", name) >= PATH_MAX)
			return -ENAMETOOLONG;
		return check(name);
	}
	if (!path || !path[0] || !name[0])
		return -ESRCH;
	for (;;) {
		int size = (int)strcspn(path, ":");
		/* an empty entry is the working directory */
		int n = size > 0 ? snprintf(program, PATH_MAX, "%.*s/%s", size, path, name)
				 : snprintf(program, PATH_MAX, "./%s", name);
		if (n < PATH_MAX && check(program) == 0)
			return 0;
		if (path[size] == '\0')
			return -ESRCH;
		path += size + 1;
	}
}
