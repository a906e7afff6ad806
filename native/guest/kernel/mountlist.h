/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/self/mountinfo lists: see proc_pid_mountinfo(5). Pure. */
#ifndef DKVM_MOUNTLIST_H
#define DKVM_MOUNTLIST_H

enum {
	MOUNTS_SIZE = 256 * 1024, /* bytes of the list */
	MOUNTS_MAX = 2048,
};

/* The fifth field of each line is the mount point. Takes the text apart; returns how many there are in points, which has MOUNTS_MAX places. */
int mount_points(char *info, char **points);

#endif
