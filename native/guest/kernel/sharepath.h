/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in the share, as the guest's kernel tells them. Pure. */
#ifndef DKVM_SHAREPATH_H
#define DKVM_SHAREPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it leads into the root of a member of a pod: nobody but this VM writes there. That of the first container the kernel knows. */
bool share_path_is_root(const uint8_t *path, size_t size);

#endif
