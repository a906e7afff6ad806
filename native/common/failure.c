/* SPDX-License-Identifier: Apache-2.0 */
#include "common/failure.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct failure *failure, int r, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(failure->text, sizeof failure->text, format, list);
	va_end(list);
	return r;
}
