/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of modules that are not loaded yet: opening one loads its module. Listed in /lib/modules/<release>/modules.devname. */
#ifndef DKVM_DEVNAME_H
#define DKVM_DEVNAME_H

#include <sys/types.h>

struct devname {
	char path[96]; /* "/dev/loop-control" */
	mode_t type;   /* S_IFCHR or S_IFBLK */
	dev_t number;
};

/* Take a line apart: "loop loop-control c10:237". Returns 0 or -EINVAL, for a comment, too. */
int devname_parse(const char *line, struct devname *devname);

#endif
