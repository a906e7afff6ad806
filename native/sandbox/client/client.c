/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/client/client.h"

#include "sandbox/client/client_frames.h"
#include "sandbox/client/client_send.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef DRAIN_PATIENCE
#define DRAIN_PATIENCE 30000 /* ms without progress, once the session is over */
#endif

enum poll_slot { POLL_SOCKET, POLL_SIGNALS, POLL_STDIN, POLL_STDOUT, POLL_STDERR, POLL_WATCH, POLL_SLOTS };

void client_start(struct client *c)
{
	for (int fd = 0; fd < 3; fd++)
		endpoint_open(&c->ends[fd], fd, fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
	c->notice_outlet = (struct outlet){&c->ends[STDERR_FILENO], c->notices, sizeof c->notices, 0, 0};
	c->outlets[CHANNEL_STDOUT] = (struct outlet){&c->ends[STDOUT_FILENO], c->output[0], FRAME_CREDIT, 0, 0};
	c->outlets[CHANNEL_STDERR] = (struct outlet){&c->ends[STDERR_FILENO], c->output[1], FRAME_CREDIT, 0, 0};
	c->input_credit = FRAME_CREDIT;
	c->granted[CHANNEL_STDOUT] = FRAME_CREDIT;
	c->granted[CHANNEL_STDERR] = FRAME_CREDIT;
	c->request_sent = !c->request;
	if (c->terminal)
		rawmode_enter(&c->raw_mode, STDIN_FILENO);
	client_send_attach(c);
}

void client_stop(struct client *c)
{
	rawmode_leave(&c->raw_mode);
}

void client_resume(struct client *c)
{
	c->resized = c->terminal;
	c->resume_due = true;
}

static bool output_waits(const struct client *c)
{
	return c->notice_outlet.used || c->outlets[CHANNEL_STDOUT].used || c->outlets[CHANNEL_STDERR].used;
}

static bool finished(const struct client *c)
{
	if (c->end == CLIENT_RUNNING)
		return false;
	return !output_waits(c) || now_millis() - c->progress >= DRAIN_PATIENCE;
}

static void end(struct client *c, enum client_end how)
{
	c->end = how;
	c->progress = now_millis();
}

/*
 * Take in what the monitor sent. Returns the bytes read, 0 at the end of the connection, -EAGAIN when there is
 * no more yet.
 */
static ssize_t receive(struct client *c)
{
	ssize_t n = recv(c->socket, c->receive + c->received, sizeof c->receive - c->received, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0) {
		end(c, CLIENT_LOST);
		return 0;
	}
	c->received += (size_t)n;
	enum client_end how = client_take_frames(c);
	if (how != CLIENT_RUNNING)
		end(c, how);
	return n;
}

/* The monitor is gone, its last words may still be in the socket. */
static void hear_out(struct client *c)
{
	while (c->end == CLIENT_RUNNING && receive(c) > 0)
		;
	if (c->end == CLIENT_RUNNING)
		end(c, CLIENT_LOST);
}

static void take_signal(struct client *c, const struct signalfd_siginfo *signal)
{
	if (signal->ssi_signo == SIGCHLD) {
		if (c->monitor_ended && c->monitor_ended())
			hear_out(c);
		return;
	}
	/* Our own write to a closed pipe: the guest's process must not die of our reader's going away. */
	if (signal->ssi_signo == SIGPIPE && signal->ssi_pid == (uint32_t)getpid())
		return;
	if (signal->ssi_signo == SIGWINCH && c->terminal)
		c->resized = true;
	else if (c->end == CLIENT_RUNNING && c->role != ROLE_UPDATE && c->role != ROLE_USAGE)
		client_send_signal(c, signal->ssi_signo);
}

/* A signal is only taken from the kernel, which keeps it, when there is room to pass it on. */
static bool signals_wanted(const struct client *c)
{
	return c->end != CLIENT_RUNNING || c->send_failed ||
	       (c->request_sent && client_send_room(c) >= CLIENT_SEND_RESERVE);
}

static void take_signals(struct client *c)
{
	struct signalfd_siginfo signal;

	while (signals_wanted(c) && read(c->signals, &signal, sizeof signal) == sizeof signal)
		take_signal(c, &signal);
}

static size_t flush_outlet(struct client *c, struct outlet *outlet)
{
	size_t gone = outlet_flush(outlet);

	if (gone > 0)
		c->progress = now_millis();
	return gone;
}

static void flush_channel(struct client *c, enum frame_channel channel)
{
	c->owed[channel] += (uint32_t)flush_outlet(c, &c->outlets[channel]);
}

static void flush_output(struct client *c, const struct pollfd *polls)
{
	struct endpoint *stdout_end = &c->ends[CHANNEL_STDOUT];

	if (polls[POLL_STDOUT].revents || stdout_end->dead)
		flush_channel(c, CHANNEL_STDOUT);
	if (polls[POLL_STDERR].revents || c->ends[CHANNEL_STDERR].dead) {
		/* One write per poll: a second one could block. */
		if (c->outlets[CHANNEL_STDERR].used > 0)
			flush_channel(c, CHANNEL_STDERR);
		else
			flush_outlet(c, &c->notice_outlet);
	}
	/* Who reads our stdout sees its end when the guest's process closes it. Stderr stays, for notices. */
	if (c->output_ended[CHANNEL_STDOUT] && c->outlets[CHANNEL_STDOUT].used == 0 && stdout_end->fd >= 0 &&
	    !c->terminal)
		endpoint_close(stdout_end);
}

/* One poll(2). An fd that has nothing to do stays out: a hang-up on it would wake us again and again. */
static size_t wait_for_work(struct client *c, struct pollfd *polls)
{
	size_t more = c->more_polls ? c->more_polls(polls + POLL_SLOTS) : 0;
	bool running = c->end == CLIENT_RUNNING;
	size_t to_stderr = c->outlets[CHANNEL_STDERR].used + c->notice_outlet.used;
	int64_t timeout = running ? -1 : c->progress + DRAIN_PATIENCE - now_millis();
	short send = client_send_waits(c) ? POLLOUT : 0;

	polls[POLL_SOCKET] = (struct pollfd){running ? c->socket : -1, (short)(POLLIN | send), 0};
	polls[POLL_SIGNALS] = (struct pollfd){signals_wanted(c) ? c->signals : -1, POLLIN, 0};
	polls[POLL_STDIN] = (struct pollfd){client_input_wanted(c) ? c->ends[CHANNEL_STDIN].fd : -1, POLLIN, 0};
	polls[POLL_STDOUT] =
		(struct pollfd){c->outlets[CHANNEL_STDOUT].used ? c->ends[CHANNEL_STDOUT].fd : -1, POLLOUT, 0};
	polls[POLL_STDERR] = (struct pollfd){to_stderr ? c->ends[CHANNEL_STDERR].fd : -1, POLLOUT, 0};
	polls[POLL_WATCH] = (struct pollfd){running && c->watched ? c->watch : -1, POLLIN, 0};
	if (!running && timeout < 0)
		timeout = 0;
	if (poll(polls, POLL_SLOTS + more, (int)timeout) < 0)
		for (size_t i = 0; i < POLL_SLOTS + more; i++)
			polls[i].revents = 0;
	return more;
}

void client_run(struct client *c)
{
	struct pollfd polls[POLL_SLOTS + CLIENT_MORE];

	while (!finished(c)) {
		client_send(c);
		size_t more = wait_for_work(c, polls);
		if (polls[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR))
			receive(c);
		if (polls[POLL_SIGNALS].revents)
			take_signals(c);
		if (polls[POLL_STDIN].revents && c->end == CLIENT_RUNNING)
			client_send_input(c);
		if (polls[POLL_WATCH].revents && c->watched(c->watch))
			c->change_due = true;
		if (more > 0)
			c->more_ready(polls + POLL_SLOTS, more);
		flush_output(c, polls);
	}
}
