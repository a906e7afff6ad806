/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/orders.h"

#include "common/channel.h"
#include "common/clock.h"
#include "guest/network/dns.h"
#include "guest/early.h"
#include "common/files.h"
#include "guest/orders/container_limits.h"
#include "guest/orders/exit_socket.h"
#include "guest/orders/finish.h"
#include "guest/orders/hello.h"
#include "guest/sockets/guestsockets.h"
#include "guest/locks/guestlocks.h"
#include "guest/log.h"
#include "common/loop.h"
#include "guest/records/container.h"
#include "guest/records/machine.h"
#include "guest/network/netchange.h"
#include "guest/setup/ownfiles.h"
#include "guest/network/ports.h"
#include "guest/process/members.h"
#include "guest/process/workload.h"
#include "guest/orders/resources.h"
#include "guest/session/serial.h"
#include "guest/session/sessions.h"
#include "guest/orders/shed.h"
#include "guest/setup/setup.h"
#include "guest/kernel/file_events.h"
#include "guest/orders/usage_order.h"
#include "guest/kernel/host_clock.h"
#include "guest/kernel/system.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACK_MILLIS = 5000, DRAIN_SOCKETS_MILLIS = 2000 };

enum reason { REASON_EXITED = 0, REASON_SHUTDOWN = 1, REASON_REBOOT = 2 };
enum { FLAG_OVERRIDDEN = 1, FLAG_OUT_OF_MEMORY = 2 };

static enum {
	WAITING,     /* HELLO is sent, or nobody is there yet */
	CONFIGURING, /* WELCOME came */
	READY,
	FINISHED, /* waiting for ACK */
} state;

static uint8_t machine_records[MACHINE_MAX_RECORDS];
static size_t machine_size;
static uint8_t container_records[CONTAINER_MAX_RECORDS]; /* of the first one */
static size_t container_size;
static uint64_t clock_received; /* ns since boot: when the machine's records came, the clock among them */
static struct source children = {.fd = -1};
static bool shut_down;
static int64_t ack_deadline;

/* The workload is over, and other containers of its VM are not: they have the time that whoever stops them all at once gives them. */
static struct {
	bool begun;
	int status;
	uint8_t code;
} waiting_for_members;

/* The workload is over, and what it sent last is on its way to sockets of the host. */
static struct {
	bool begun;
	enum reason reason;
	bool ran;
	uint8_t code;
	int64_t deadline;
} ending;

static void wait_for_ack(void)
{
	state = FINISHED;
	ack_deadline = now_millis() + ACK_MILLIS;
}

static void send_ready(const struct setup_steps *steps)
{
	uint8_t payload[STEP_READY * 9];

	for (int step = STEP_ROOT; step <= STEP_READY; step++) {
		uint8_t *at = payload + (step - 1) * 9;
		at[0] = (uint8_t)step;
		put_u64(at + 1, steps->done[step]);
	}
	channel_send(FRAME_READY, 0, payload, sizeof payload);
	state = READY;
	host_clock_follow();
}

static void send_failed(enum setup_step step, const char *text)
{
	uint8_t payload[1 + 1024];
	size_t size = strnlen(text, sizeof payload - 1);

	payload[0] = (uint8_t)step;
	memcpy(payload + 1, text, size);
	if (step > STEP_ROOT)
		finish_mounts();
	channel_send(FRAME_FAILED, 0, payload, (uint32_t)(1 + size));
	wait_for_ack();
}

/* The workload has ended: leave nothing behind, then say so. */
static void finish(enum reason reason, bool ran, uint8_t code)
{
	int said = exit_socket_code(), override = said >= 0 ? said : ownfiles_exit_code();
	uint8_t flags = 0;

	sessions_end();
	guest_sockets_end();
	guest_locks_end();
	file_events_end();
	serial_finish();
	if (override >= 0) {
		flags |= FLAG_OVERRIDDEN;
		code = (uint8_t) override;
	}
	if (ran) {
		const uint8_t payload[2] = {code, 0};
		channel_send(FRAME_EXIT, MAIN_STREAM, payload, sizeof payload);
		channel_flush();
	}
	exit_socket_close();
	finish_processes();
	if (system_ran_out_of_memory())
		flags |= FLAG_OUT_OF_MEMORY;
	finish_mounts();
	const uint8_t payload[4] = {(uint8_t)reason, flags, code, 0};
	channel_send(FRAME_FINISHED, 0, payload, sizeof payload);
	wait_for_ack();
}

static void finish_when_drained(enum reason reason, bool ran, uint8_t code)
{
	ending.begun = true;
	ending.reason = reason;
	ending.ran = ran;
	ending.code = code;
	ending.deadline = now_millis() + DRAIN_SOCKETS_MILLIS;
}

/* Returns the milliseconds to the next look, -1: there is nothing to look for. */
static int64_t end_when_drained(void)
{
	if (!ending.begun)
		return -1;
	int64_t left = ending.deadline - now_millis();
	if (left <= 0 || guest_sockets_drained()) {
		ending.begun = false;
		finish(ending.reason, ending.ran, ending.code);
		left = 0;
	}
	/* what was queued here goes before the loop waits */
	channel_flush();
	return left;
}

/* reboot(2) in a PID namespace kills its PID 1 with one of two signals that PID 1 can not die of otherwise. */
static bool has_rebooted(int status)
{
	return status >= 0 && WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGHUP);
}

static void end_with(int status, uint8_t code)
{
	bool ran = status >= 0;

	if (shut_down)
		finish_when_drained(REASON_SHUTDOWN, ran, code);
	else if (has_rebooted(status))
		finish_when_drained(REASON_REBOOT, ran, 0);
	else
		finish_when_drained(REASON_EXITED, ran, code);
}

static void main_ended(int status, uint8_t code)
{
	members_close();
	if (shut_down || !members_are_there()) {
		end_with(status, code);
		return;
	}
	waiting_for_members.begun = true;
	waiting_for_members.status = status;
	waiting_for_members.code = code;
}

static void end_without_members(void)
{
	if (!waiting_for_members.begun || (!shut_down && members_are_there()))
		return;
	waiting_for_members.begun = false;
	end_with(waiting_for_members.status, waiting_for_members.code);
}

static void children_ready(struct source *source, uint32_t events)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)events;
	while (read(source->fd, &info, sizeof info) == sizeof info)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!resources_reaped(pid, status) && !container_limits_reaped(pid, status) && !shed_reaped(pid) &&
		    !usage_reaped(pid, status))
			sessions_reaped(pid, status);
}

/* A signalfd tells who waits for it of the signals of the process that added it. */
static int hear_of_children(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : loop_add(&children, fd, EPOLLIN, children_ready);
}

static void moved(void)
{
	loop_close(&children);
	if (hear_of_children() < 0)
		finish_power_off();
}

static int set_up(void)
{
	static struct failure error;
	struct machine machine;
	struct container container;
	struct setup_steps steps = {.step = STEP_ROOT};

	if (machine_parse(machine_records, machine_size, &machine) < 0 ||
	    container_parse(container_records, container_size, &container) < 0 || !container_fits_first(&container))
		return -EPROTO;
	if (setup_vm(&machine, &container, clock_received, &steps, &error) < 0) {
		send_failed(steps.step, error.text);
		return 0;
	}
	workload_remember(&container);
	exit_socket_open();
	guest_locks_open();
	file_events_open();
	send_ready(&steps);
	ports_open(&machine);
	return 0;
}

static int take_welcome(const struct frame *frame)
{
	if (state != WAITING || frame->length != 4 || get_u16(frame->payload) != PROTOCOL_VERSION)
		return -EPROTO;
	state = CONFIGURING;
	return 0;
}

static int add_records(uint8_t *records, size_t *size, size_t most, const uint8_t *bytes, size_t length)
{
	if (length > most - *size)
		return -EPROTO;
	memcpy(records + *size, bytes, length);
	*size += length;
	return 0;
}

static int take_machine(const struct frame *frame)
{
	clock_received = boot_nanos();
	return add_records(machine_records, &machine_size, sizeof machine_records, frame->payload, frame->length);
}

/* The container's number, and a piece of its records. */
static int take_container(const struct frame *frame)
{
	uint32_t number = frame->length < 4 ? 0 : get_u32(frame->payload);

	if (state == FINISHED)
		return 0; /* it crossed FINISHED */
	if (number < 1 || state != (number == 1 ? CONFIGURING : READY))
		return -EPROTO;
	if (number > 1)
		return members_add_records(number, frame->payload + 4, frame->length - 4);
	return add_records(container_records, &container_size, sizeof container_records, frame->payload + 4,
			   frame->length - 4);
}

static int take_set_up(const struct frame *frame)
{
	if (state != CONFIGURING)
		return -EPROTO;
	if (frame->type == FRAME_MACHINE)
		return take_machine(frame);
	return frame->length == 0 ? set_up() : -EPROTO;
}

static int take_shutdown(const struct frame *frame)
{
	if (frame->length != 0)
		return -EPROTO;
	shut_down = true;
	end_without_members();
	if (ending.begun)
		ending.deadline = 0;
	else if (state == READY && sessions_have_main())
		sessions_kill();
	else if (state == READY)
		finish(REASON_SHUTDOWN, false, 0);
	else if (state != FINISHED)
		finish_power_off();
	return 0;
}

static int take_order(const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_CLOCK:
		return host_clock_take(frame);
	case FRAME_NETWORK:
		return netchange_take(frame);
	case FRAME_LIMITS:
		return resources_take(frame);
	case FRAME_CONTAINER_LIMITS:
		return container_limits_take(frame);
	case FRAME_SHED:
		return shed_take(frame);
	default:
		return usage_take(frame);
	}
}

static int take_control(const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_WELCOME:
		return take_welcome(frame);
	case FRAME_CONTAINER:
		return take_container(frame);
	case FRAME_MACHINE:
	case FRAME_SET_UP:
		return take_set_up(frame);
	case FRAME_SHUTDOWN:
		return take_shutdown(frame);
	case FRAME_ACK:
		if (state != FINISHED || frame->length != 0)
			return -EPROTO;
		finish_power_off();
	case FRAME_CLOCK:
	case FRAME_NETWORK:
	case FRAME_LIMITS:
	case FRAME_CONTAINER_LIMITS:
	case FRAME_SHED:
	case FRAME_USAGE_ASK:
		if (state == FINISHED)
			return 0; /* it crossed FINISHED */
		return state == READY ? take_order(frame) : -EPROTO;
	default:
		return -EPROTO;
	}
}

static int take_frame(const struct frame *frame)
{
	bool session = frame->type >= FRAME_OPEN && frame->type <= FRAME_CLOSE;
	bool connection = frame->type >= FRAME_SOCKET_DATA && frame->type <= FRAME_FORWARD_OPEN;
	bool lock = frame->type == FRAME_LOCK_ANSWER;
	bool files = frame->type == FRAME_FILE_WATCHED || frame->type == FRAME_FILE_EVENTS;

	if (session || connection || files || lock || frame->type == FRAME_DNS_ANSWER) {
		if (state == FINISHED)
			return 0; /* it crossed FINISHED */
		if (state != READY)
			return -EPROTO;
		if (session)
			return sessions_frame(frame);
		if (connection)
			return guest_sockets_frame(frame);
		if (lock)
			return guest_locks_frame(frame);
		if (files)
			return file_events_frame(frame);
		dns_answer(frame);
		return 0;
	}
	return frame->stream == 0 ? take_control(frame) : -EPROTO;
}

static void room(void)
{
	sessions_room();
	guest_sockets_room();
	guest_locks_room();
	file_events_room();
}

static void channel_broken(int error)
{
	char text[64];

	log_kernel("agent channel: %s", error_text(error, text));
	finish_power_off();
}

int orders_open(int port)
{
	static const struct channel_events events = {hello_say, take_frame, room, channel_broken, NULL};
	static const struct sessions_events told = {main_ended, moved};
	int r = hear_of_children();

	sessions_open(&told);
	return r < 0 ? r : channel_open(port, &events);
}

/* Of two times, of which -1 is never. */
static int sooner(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

int orders_tick(void)
{
	end_without_members();
	int64_t drain = end_when_drained();

	if (state == FINISHED) {
		int64_t left = ack_deadline - now_millis();
		if (left <= 0)
			finish_power_off();
		return (int)left;
	}
	int next = sooner(sooner(sessions_tick(), host_clock_tick()), sooner(dns_tick(), ports_tick()));
	/* the workload may just have ended by a deadline of its own */
	return ending.begun && drain < 0 ? 0 : sooner(next, (int)drain);
}
