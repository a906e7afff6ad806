/* SPDX-License-Identifier: Apache-2.0 */
/* The image's /etc/fstab with the disks in it. The image's own file is not written: another one covers it. */
#ifndef DKVM_FSTAB_H
#define DKVM_FSTAB_H

#include <stddef.h>

/* Write a line of fstab(5) with the escapes that it asks for. Returns its length, -ENAMETOOLONG. */
int fstab_line(char *line, size_t size, const char *device, const char *target, const char *type, const char *options);

/* One more disk, after it was mounted. */
void fstab_add(const char *device, const char *target, const char *type, const char *options);

/* Show it, where the image has the file and there are disks. */
void fstab_show(void);

#endif
