/* SPDX-License-Identifier: Apache-2.0 */
/* What Docker and its users match: the texts and codes of runc 1.1 for a process that can not be started. */
#ifndef DKVM_MESSAGES_H
#define DKVM_MESSAGES_H

#define MESSAGE_NOT_IN_PATH "exec: \"%s\": executable file not found in $PATH"
#define MESSAGE_MISSING "exec: \"%s\": stat %s: %s" /* name, name, error */
#define MESSAGE_NOT_EXECUTABLE "exec: \"%s\": %s"   /* name, error */
#define MESSAGE_EXEC "exec %s: %s"                  /* program, error */
#define MESSAGE_CHDIR "chdir to cwd (\"%s\") set in config.json failed: %s"
#define MESSAGE_MKDIR "mkdir %s: %s"
#define MESSAGE_NOT_RUNNING "container is not running"
#define MESSAGE_TOO_MANY "too many exec sessions: %d are running"
#define MESSAGE_DEVICE "/dev/%s can not be the workload's terminal: %s"
/* of --init, as tini says it */
#define MESSAGE_INIT_EXEC "[FATAL tini (%d)] exec %s failed: %s\n"

enum {
	CODE_NOT_FOUND = 127,      /* the program, or the directory to run it in, is missing */
	CODE_NOT_EXECUTABLE = 126, /* it may not be run, or is no file */
	CODE_EXEC_FAILED = 1,      /* execve(2) itself failed: no interpreter, not a program */
	CODE_SETUP_FAILED = 128,   /* anything else before that */
	CODE_NOT_RUNNING = 126,
	CODE_SIGNAL = 128, /* + the signal's number */
};

#endif
