/* SPDX-License-Identifier: Apache-2.0 */
/* The pages that are served: those of one directory of the package, all of them looked up before the first request comes. */
#ifndef DKVM_WEB_PAGES_H
#define DKVM_WEB_PAGES_H

#include <stddef.h>

enum { PAGES_MOST = 256, PAGES_PATH = 128, PAGES_DIGEST = 44 };

struct page {
	char path[PAGES_PATH]; /* with a slash before it */
	const char *type;      /* of its content, for the header */
	const char *bytes;
	size_t size;
};

/* Map the files below a directory whose names end as those of a page do. Their number, or -errno. */
int pages_open(const char *directory);

/* The page at a path, or NULL. Paths are compared with those of the table, letter by letter. */
const struct page *pages_find(const char *path);

/* The digest of the script that the first page has in itself, as Content-Security-Policy has it; empty: it has none. */
const char *pages_script(void);

#endif
