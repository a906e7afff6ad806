/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/web/web_pages.h"

#include "common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST "/vnc.html"

enum { DEPTH_MOST = 6 };

static struct page pages[PAGES_MOST];
static int page_count;
static char script[PAGES_DIGEST + 1];

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".mp3", "audio/mpeg"},
		{".oga", "audio/ogg"},
		{".woff", "font/woff"},
		{".ttf", "font/ttf"},
	};
	const char *end = strrchr(name, '.');

	for (size_t i = 0; end && i < sizeof types / sizeof *types; i++)
		if (strcmp(end, types[i][0]) == 0)
			return types[i][1];
	return NULL;
}

static int map_page(int fd, const char *path, const char *type, size_t size)
{
	if (page_count == PAGES_MOST)
		return -ENFILE;
	struct page *page = &pages[page_count];
	void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	*page = (struct page){.type = type, .bytes = bytes, .size = size};
	snprintf(page->path, sizeof page->path, "%s", path);
	page_count++;
	return 0;
}

static int take_directory(int fd, const char *path, int depth);

/* Links stay out. */
static int take_entry(int directory, const char *above, const char *name, int depth)
{
	char path[PAGES_PATH];
	struct stat st;
	auto_close int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ELOOP ? 0 : -errno;
	if (snprintf(path, sizeof path, "%s/%s", above, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	if (S_ISDIR(st.st_mode))
		return depth == DEPTH_MOST ? -ELOOP : take_directory(fd, path, depth + 1);
	const char *type = type_of(name);
	return S_ISREG(st.st_mode) && type && st.st_size > 0 ? map_page(fd, path, type, (size_t)st.st_size) : 0;
}

static int take_directory(int fd, const char *path, int depth)
{
	int r = 0, own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *directory = own < 0 ? NULL : fdopendir(own);

	if (!directory) {
		r = -errno;
		close_clear(&own);
		return r;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(directory));)
		if (entry->d_name[0] != '.')
			r = take_entry(fd, path, entry->d_name, depth);
	closedir(directory);
	return r;
}

static void take_script(int directory)
{
	auto_close int fd = openat(directory, ".script", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && read(fd, script, PAGES_DIGEST) != PAGES_DIGEST)
		script[0] = '\0';
	if (strspn(script, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != PAGES_DIGEST)
		script[0] = '\0';
}

int pages_open(const char *directory)
{
	auto_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	take_script(fd);
	int r = take_directory(fd, "", 0);
	if (r == 0 && !pages_find(FIRST))
		r = -ENOENT;
	return r < 0 ? r : page_count;
}

const struct page *pages_find(const char *path)
{
	if (strcmp(path, "/") == 0)
		path = FIRST;
	for (int i = 0; i < page_count; i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

const char *pages_script(void)
{
	return script;
}
