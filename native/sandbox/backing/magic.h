/* SPDX-License-Identifier: Apache-2.0 */
/* Filesystems told by their magic numbers: nothing else of what a hostile guest wrote is read outside the VM. */
#ifndef DKVM_MAGIC_H
#define DKVM_MAGIC_H

/* What is in a file: "ext2", "ext3", "ext4", "xfs", "btrfs"; NULL for anything else, also when it can not be read. */
const char *magic_of(int fd);

#endif
