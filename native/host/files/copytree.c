/* SPDX-License-Identifier: Apache-2.0 */
#include "host/files/copytree.h"

#include "common/filecopy.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096 }; /* bytes */

/* A file with several names: where its first one was copied to. */
struct first_name {
	struct first_name *next;
	dev_t device;
	ino_t inode;
	char target[];
};

struct copy {
	struct first_name *firsts;
	char target[PATH_MAX]; /* of the file that is copied */
	int64_t copied;
	const struct tree_size *size;
	tree_progress *progress;
	struct failure *error;
};

static int fail_at(struct failure *error, int number, const char *what, const char *path)
{
	return fail(error, -number, "can not %s \"%.400s\": %s", what, path, strerror(number));
}

static int64_t on_disk(const struct stat *st)
{
	return S_ISREG(st->st_mode) ? ((int64_t)st->st_size + BLOCK - 1) / BLOCK * BLOCK : BLOCK;
}

static FTS *open_tree(const char *source)
{
	char copy[PATH_MAX];
	char *roots[] = {copy, NULL};

	if (strlen(source) >= sizeof copy) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	strcpy(copy, source);
	return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, NULL);
}

/* The first name of a file; NULL for one that was not seen yet, which is remembered. Returns 0 or -ENOMEM. */
static int find_first(struct copy *copy, const struct stat *st, const char **found)
{
	*found = NULL;
	for (const struct first_name *first = copy->firsts; first != NULL; first = first->next)
		if (first->inode == st->st_ino && first->device == st->st_dev) {
			*found = first->target;
			return 0;
		}
	size_t length = strlen(copy->target) + 1;
	struct first_name *first = malloc(sizeof *first + length);
	if (first == NULL)
		return -ENOMEM;
	*first = (struct first_name){copy->firsts, st->st_dev, st->st_ino};
	memcpy(first->target, copy->target, length);
	copy->firsts = first;
	return 0;
}

static void forget_firsts(struct copy *copy)
{
	while (copy->firsts != NULL) {
		struct first_name *next = copy->firsts->next;

		free(copy->firsts);
		copy->firsts = next;
	}
}

int tree_measure(const char *source, struct tree_size *size, struct failure *error)
{
	struct copy seen = {0};
	const char *first = NULL;
	int result = 0;

	*size = (struct tree_size){0};
	FTS *tree = open_tree(source);
	if (tree == NULL)
		return fail_at(error, errno, "read", source);
	for (FTSENT *entry; result == 0 && (entry = fts_read(tree)) != NULL;) {
		if (entry->fts_info == FTS_DP)
			continue;
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
			result = fail_at(error, entry->fts_errno, "read", entry->fts_path);
			break;
		}
		if (S_ISREG(entry->fts_statp->st_mode) && entry->fts_statp->st_nlink > 1)
			result = find_first(&seen, entry->fts_statp, &first);
		if (result < 0)
			fail_at(error, -result, "remember", entry->fts_path);
		size->files++;
		size->bytes += first != NULL ? 0 : on_disk(entry->fts_statp);
		first = NULL;
	}
	fts_close(tree);
	forget_firsts(&seen);
	return result;
}

static int copy_directory(const char *from, const char *to, const struct stat *st)
{
	auto_close int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int out = in < 0 ? -1 : open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return in < 0 || out < 0 ? -errno : copy_facts(in, out, st, ATTRIBUTES_ALL);
}

static int copy_entry(struct copy *copy, const FTSENT *entry)
{
	const struct stat *st = entry->fts_statp;
	const char *first = NULL;
	int result = 0;

	if (S_ISREG(st->st_mode) && st->st_nlink > 1)
		result = find_first(copy, st, &first);
	if (result < 0)
		return result;
	if (first != NULL)
		return link(first, copy->target) < 0 ? -errno : 0;
	if (S_ISDIR(st->st_mode))
		result = mkdir(copy->target, 0700) < 0 ? -errno : 0;
	else if (S_ISREG(st->st_mode))
		result = copy_file(AT_FDCWD, entry->fts_path, AT_FDCWD, copy->target, st, ATTRIBUTES_ALL);
	else if (S_ISLNK(st->st_mode))
		result = copy_link(AT_FDCWD, entry->fts_path, AT_FDCWD, copy->target, st);
	else
		result = -EOPNOTSUPP;
	copy->copied += on_disk(st);
	return result;
}

static int copy_one(struct copy *copy, const FTSENT *entry)
{
	int result;

	switch (entry->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return fail_at(copy->error, entry->fts_errno, "read", entry->fts_path);
	case FTS_DP:
		/* Its times count once nothing more is put into it. */
		result = copy_directory(entry->fts_path, copy->target, entry->fts_statp);
		break;
	default:
		result = copy_entry(copy, entry);
		copy->progress(copy->copied, copy->size->bytes);
	}
	return result < 0 ? fail_at(copy->error, -result, "copy", entry->fts_path) : 0;
}

int tree_copy(const char *source, const char *target, const struct tree_size *size, tree_progress *progress,
	      struct failure *error)
{
	struct copy copy = {.size = size, .progress = progress, .error = error};
	FTS *tree = open_tree(source);
	int result = 0;

	if (tree == NULL)
		return fail_at(error, errno, "read", source);
	for (FTSENT *entry; result == 0 && (entry = fts_read(tree)) != NULL;) {
		int length =
			snprintf(copy.target, sizeof copy.target, "%s%s", target, entry->fts_path + strlen(source));

		result = length < (int)sizeof copy.target ? copy_one(&copy, entry)
							  : fail_at(error, ENAMETOOLONG, "copy", entry->fts_path);
	}
	fts_close(tree);
	forget_firsts(&copy);
	return result;
}
