/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernel/sharepath.h"

#include <string.h>

/* "/pod/N/root", and what is below it. */
bool share_path_is_root(const uint8_t *path, size_t size)
{
	static const char pod[] = "/pod/", root[] = "/root";
	size_t at = sizeof pod - 1, end = sizeof root - 1;

	if (size < at || memcmp(path, pod, at) != 0)
		return false;
	size_t digits = at;
	while (at < size && path[at] >= '0' && path[at] <= '9')
		at++;
	if (at == digits || size - at < end || memcmp(path + at, root, end) != 0)
		return false;
	return size - at == end || path[at + end] == '/';
}
