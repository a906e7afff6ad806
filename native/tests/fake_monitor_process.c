/* SPDX-License-Identifier: Apache-2.0 */
/* The fake monitor as a process: what it finds around it, the ends it comes to. */
#include "fake_monitor.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct session *const s = &fake_session;

void fake_die_with_code(void)
{
	fake_open();
	for (int line = 1; line <= 30; line++)
		fprintf(stderr, "line %d\033\n", line);
	fflush(stderr);
	_exit(3);
}

void fake_die_of_signal(void)
{
	fake_open();
	kill(getpid(), SIGKILL);
}

void fake_die_unaccepted(void)
{
	_exit(4);
}

/* What kind of process dkvm-init made of us. */
void fake_surroundings(void)
{
	struct rlimit files;
	struct stat log;
	char status[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, status, sizeof status - 1);

	close(fd);
	status[n > 0 ? n : 0] = '\0';
	if (!strstr(status, "SigBlk:\t0000000000000000") || !strstr(status, "SigIgn:\t0000000000000000"))
		session_fault("inherited signal state");
	if (getsid(0) != getpid() || getpgrp() != getpid())
		session_fault("no session of its own");
	if (fcntl(3, F_GETFD) >= 0 || fcntl(7, F_GETFD) >= 0)
		session_fault("open files inherited");
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur != files.rlim_max)
		session_fault("soft limit of files not raised");
	if (fstat(STDERR_FILENO, &log) < 0 || (log.st_mode & 07777) != 0600 ||
	    !(fcntl(STDERR_FILENO, F_GETFL) & O_APPEND))
		session_fault("log");
	if (fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK)
		session_fault("non-blocking listener");
	fake_open();
	fake_say("attached %u\n", s->attach[2], 0);
	if (get_u64(s->attach + 8) != 0)
		fake_say("ignored %u %u\n", get_u32(s->attach + 8), get_u32(s->attach + 12));
	session_exit(s, 0);
}

static unsigned count_zombies(void)
{
	unsigned count = 0;
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char path[300];
		char stat_line[512] = "";
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		FILE *file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(stat_line, sizeof stat_line, file) && strstr(stat_line, ") Z "))
			count++;
		fclose(file);
	}
	closedir(proc);
	return count;
}

/* In a PID namespace: 20 orphans that end, one that would stay and holds a lock on the log. */
void fake_orphans(void)
{
	fake_open();
	for (int i = 0; i <= 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			if (fork() == 0) {
				setsid();
				while (i == 20)
					pause();
			}
			_exit(0);
		}
	}
	usleep(300000);
	/* The 21 children in the middle are ours, and we do not reap: only orphans count for PID 1. */
	fake_say("zombies %u pid1 %u\n", count_zombies(), (unsigned)getppid());
	kill(1, SIGUSR2);
	while (s->last_signal != SIGTERM) {
		if (session_take(s) == 0)
			session_fault("the client left");
		if (s->last_signal == SIGUSR2)
			fake_say("from within %u\n", s->last_signal, 0);
	}
	session_exit(s, 6);
	pause();
}
