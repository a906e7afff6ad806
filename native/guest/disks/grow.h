/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_GROW_H
#define DKVM_GROW_H

/*
 * Let a mounted filesystem take all of its device; one that does already stays as it is. Done by the guest's kernel: no program of
 * the image is needed, and nothing outside the VM reads what is in a disk. Returns 0 or -errno, -ENOTSUP for an unknown type.
 */
int grow_filesystem(const char *type, const char *device, const char *target);

#endif
