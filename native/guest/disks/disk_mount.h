/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_DISK_MOUNT_H
#define DKVM_DISK_MOUNT_H

#include "common/failure.h"

/*
 * Mount a disk (source as disk_find takes it) where mounts are made ready, after loading its filesystem's modules where the kernel lacks
 * it. A new filesystem first gets what the directory has that it will cover, place (O_PATH). One smaller than its device grows.
 */
int disk_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data,
	       int place, struct failure *error);

#endif
