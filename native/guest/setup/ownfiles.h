/* SPDX-License-Identifier: Apache-2.0 */
/* What DKVM adds to the image's tree while it runs: /opt/dkvm and /.dkvm. */
#ifndef DKVM_OWNFILES_H
#define DKVM_OWNFILES_H

/* Mount them; directories that the image lacks are made, or the mount is skipped where they can not be. */
void ownfiles_mount(void);

/*
 * Once they are unmounted: take the directories away again and give their parents the times they had, so that no
 * difference to the image is left.
 */
void ownfiles_remove(void);

/* The exit code that the workload wrote to /.dkvm/exit-code, -1: none. */
int ownfiles_exit_code(void);

/* A socket where qemu-exit(1) says its code; -errno where /.dkvm is not there. */
int ownfiles_listen(void);

/* The number at the start of a text: 0 to max, or -1. White space may follow. */
int exit_code_parse(const char *text, int max);

#endif
