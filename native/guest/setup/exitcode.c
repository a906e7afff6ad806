/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/ownfiles.h"

#include <ctype.h>

int exit_code_parse(const char *text, int max)
{
	int code = 0, digits = 0;

	for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
		code = code * 10 + (*text - '0');
	if (digits == 0 || code > max)
		return -1;
	while (isspace((unsigned char)*text))
		text++;
	return *text == '\0' ? code : -1;
}
