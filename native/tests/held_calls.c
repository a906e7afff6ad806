/* SPDX-License-Identifier: Apache-2.0 */
#include "held_calls.h"

#include "wire.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 64 };

static int passed_on[2], listener = -1;
static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool holds;
static uint64_t held[HELD_MAX];
static int held_count;

bool held_calls_open(void)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, passed_on) == 0;
}

static struct msghdr message(struct iovec *piece, void *control, size_t size)
{
	return (struct msghdr){.msg_iov = piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size};
}

static void send_descriptor(int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
	struct iovec piece = {"x", 1};
	struct msghdr all = message(&piece, control, sizeof control);
	struct cmsghdr *header = CMSG_FIRSTHDR(&all);

	*header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	if (sendmsg(passed_on[1], &all, 0) < 0)
		_exit(123);
}

void held_calls_install(void)
{
	struct sock_filter calls[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof calls / sizeof *calls, .filter = calls};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(123);
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
	if (fd < 0)
		_exit(123);
	send_descriptor((int)fd);
}

static void let_go(uint64_t id)
{
	struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

	/* the caller may be gone */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void *serve(void *argument)
{
	struct pollfd wait = {.fd = listener, .events = POLLIN};

	(void)argument;
	while (poll(&wait, 1, -1) >= 0 && !(wait.revents & POLLHUP)) {
		struct seccomp_notif call = {0};
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			continue;
		pthread_mutex_lock(&state);
		if (holds && held_count < HELD_MAX)
			held[held_count++] = call.id;
		else
			let_go(call.id);
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&state);
	}
	return NULL;
}

bool held_calls_serve(void)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof listener)];
	char byte;
	struct iovec piece = {&byte, 1};
	struct msghdr all = message(&piece, control, sizeof control);
	pthread_t thread;

	if (recvmsg(passed_on[0], &all, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&all))
		return false;
	memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&all)), sizeof listener);
	return pthread_create(&thread, NULL, serve, NULL) == 0 && pthread_detach(thread) == 0;
}

void held_calls_hold(void)
{
	pthread_mutex_lock(&state);
	holds = true;
	pthread_mutex_unlock(&state);
}

void held_calls_no_more(void)
{
	pthread_mutex_lock(&state);
	holds = false;
	pthread_mutex_unlock(&state);
}

bool held_calls_wait(int count)
{
	struct timespec end;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE / 1000;
	pthread_mutex_lock(&state);
	while (held_count < count && r == 0)
		r = pthread_cond_timedwait(&changed, &state, &end);
	pthread_mutex_unlock(&state);
	return r == 0;
}

void held_calls_pass(void)
{
	pthread_mutex_lock(&state);
	holds = false;
	while (held_count > 0)
		let_go(held[--held_count]);
	pthread_mutex_unlock(&state);
}
