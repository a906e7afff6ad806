/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DKVM_DISK_LABEL_H
#define DKVM_DISK_LABEL_H

/* The label of a filesystem that the image's files have not been copied to yet: dkvm-disk gives it, the agent takes it away. */
#define DISK_LABEL_NEW "dkvm-new"

#endif
