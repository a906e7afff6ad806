/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent has to say: to the monitor where it listens, else to the kernel's log. */
#ifndef DKVM_LOG_H
#define DKVM_LOG_H

enum log_level { LOG_LEVEL_ERROR = 0, LOG_LEVEL_WARNING = 1, LOG_LEVEL_INFO = 2, LOG_LEVEL_DEBUG = 3 };

enum { LOG_TEXT_MAX = 1024 }; /* bytes */

/* Open /dev/kmsg. */
void log_open(void);

void log_text(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* To the kernel's log only: when the channel itself has failed. */
void log_kernel(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
