/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_COPYUP_H
#define DKVM_COPYUP_H

/* Called for every file that is copied. */
typedef void copy_up_progress(void);

/*
 * Copy what is in the directory from into the directory to: owners, modes, times, attributes and links as they are. What is mounted
 * below from is left out, but for the directory it is mounted on. What is in the way is replaced, so that a copy that was cut short
 * can be made again. Returns 0 or -errno.
 */
int copy_up_directory(int from, const char *to, copy_up_progress *progress);

/* Give the directory to the owner, mode, times and attributes of the directory from. Returns 0 or -errno. */
int copy_up_own(int from, const char *to);

#endif
