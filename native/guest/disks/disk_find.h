/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices by name or by serial number. */
#ifndef DKVM_DISK_FIND_H
#define DKVM_DISK_FIND_H

#include <stddef.h>

/*
 * Find the device of a source: a path (/dev/vda) stands for itself, anything else is a virtio serial number. Waits
 * until it is there. Returns 0, -ENODEV.
 */
int disk_find(const char *source, char *device, size_t size);

#endif
