/* SPDX-License-Identifier: Apache-2.0 */
/* What a copy of a file takes along, whoever walks the tree. Each returns 0 or -errno. Names are as openat(2) takes them. */
#ifndef DKVM_FILECOPY_H
#define DKVM_FILECOPY_H

#include <sys/stat.h>

/* Extended attributes: capabilities, ACLs, and what programs keep there. */
enum attributes {
	ATTRIBUTES_ALL,      /* or it fails; but for SELinux's labels, which are the place's, and not the file's */
	ATTRIBUTES_POSSIBLE, /* a filesystem that takes none goes without */
};

/* A regular file, which must not be there yet: content, owner, mode, attributes, times. */
int copy_file(int from, const char *source, int to, const char *target, const struct stat *st,
	      enum attributes attributes);

/* A symbolic link, which must not be there yet, with owner and times. */
int copy_link(int from, const char *source, int to, const char *target, const struct stat *st);

/* The owner, mode, attributes and times of one that is open, to another one. */
int copy_facts(int in, int out, const struct stat *st, enum attributes attributes);

/* The owner, mode and times only, to what is no link, by its name. */
int copy_facts_at(int to, const char *target, const struct stat *st);

#endif
