/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/session/relay.h"

#include "common/channel.h"
#include "common/clock.h"
#include "common/files.h"
#include "guest/process/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void output_close(struct output *output)
{
	loop_close(&output->source);
}

static void output_end(struct output *output)
{
	if (!output->ended && !output->relay->gone)
		channel_send(output->type, output->relay->stream, NULL, 0);
	output->ended = true;
}

static void output_update(struct output *output)
{
	/* nothing is sent before OPENED */
	bool running = output->relay->running;
	bool wanted = output->ended || (running && output->credit > 0 && channel_has_room());

	loop_set(&output->source, wanted ? EPOLLIN : 0);
}

/* After the end of its session a pipe is read and thrown away: who still writes to it must not get SIGPIPE. */
static ssize_t read_away(const struct output *output)
{
	static char away[4096];

	return read(output->source.fd, away, sizeof away);
}

static ssize_t read_frame(struct output *output)
{
	size_t size = CHANNEL_DATA_FRAME;

	if (output->credit < size)
		size = output->credit;
	if (output->left >= 0 && (size_t)output->left < size)
		size = (size_t)output->left;
	ssize_t n = read(output->source.fd, channel_begin(), size);
	if (n <= 0)
		return n;
	channel_commit(output->type, output->relay->stream, (uint32_t)n);
	output->credit -= (uint32_t)n;
	if (output->left >= 0)
		output->left -= n;
	if (output->relay->drains)
		output->relay->deadline = now_millis() + DRAIN_MILLIS;
	return n;
}

/* A system's console stays when those who had it open have closed it, or a login has hung them up. */
static bool keep_console(const struct output *output)
{
	struct relay *relay = output->relay;

	if (!relay->sysinit || relay->drains || output->ended)
		return false;
	close_clear(&relay->console);
	relay->console = terminal_open_slave(output->source.fd);
	return relay->console >= 0;
}

static void output_ready(struct source *source, uint32_t events)
{
	struct output *output = container_of(source, struct output, source);
	ssize_t n;

	(void)events;
	if (!output->ended && (output->credit == 0 || !channel_has_room())) {
		output_update(output);
		return;
	}
	n = output->ended ? read_away(output) : read_frame(output);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 && errno == EIO && keep_console(output))
		return;
	if (n <= 0) { /* a terminal without a slave says EIO */
		output_end(output);
		output_close(output);
	} else if (output->left == 0) {
		output_end(output);
	}
	if (output->ended)
		output->relay->ended(output->relay);
	else
		output_update(output);
}

static void input_give_credit(struct input *input, uint32_t size)
{
	uint8_t payload[5] = {CHANNEL_STDIN};

	if (!input->relay->running) {
		input->owed += size;
		return;
	}
	uint32_t give = credit_handed_on(&input->window, size);
	if (give == 0 || input->relay->gone)
		return;
	put_u32(payload + 1, give);
	channel_send(FRAME_CREDIT_MORE, input->relay->stream, payload, sizeof payload);
}

static void input_stop(struct input *input)
{
	input->deaf = true;
	input_give_credit(input, (uint32_t)input->size);
	input->size = 0;
	loop_close(&input->source);
}

/* Write what the process takes; what it does not take now stays in the backlog. */
static void input_flush(struct input *input)
{
	if (!input->relay->running)
		return;
	while (input->size > 0 && input->source.fd >= 0) {
		ssize_t n = write(input->source.fd, input->backlog + input->start, input->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			input_stop(input);
			return;
		}
		input->start += (size_t)n;
		input->size -= (size_t)n;
		input_give_credit(input, (uint32_t)n);
	}
	/* a terminal has no end of file to give: as under runc its master stays */
	if (input->ended && input->size == 0 && !input->relay->terminal)
		input_stop(input);
	else
		loop_set(&input->source, input->size > 0 ? EPOLLOUT : 0);
}

static void input_ready(struct source *source, uint32_t events)
{
	(void)events;
	input_flush(container_of(source, struct input, source));
}

static int backlog_add(struct input *input, const uint8_t *bytes, uint32_t size)
{
	if (!input->backlog && !(input->backlog = malloc(FRAME_CREDIT)))
		return -ENOMEM;
	if (input->start > 0) {
		memmove(input->backlog, input->backlog + input->start, input->size);
		input->start = 0;
	}
	memcpy(input->backlog + input->size, bytes, size);
	input->size += size;
	return 0;
}

void relay_stdin(struct relay *relay, const uint8_t *bytes, uint32_t size)
{
	struct input *input = &relay->input;

	if (size == 0)
		input->ended = true;
	if (input->deaf) {
		input_give_credit(input, size);
		return;
	}
	if (relay->running && size > 0 && input->size == 0 && input->source.fd >= 0) {
		ssize_t n = write(input->source.fd, bytes, size);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			input_give_credit(input, size);
			input_stop(input);
			return;
		}
		if (n > 0) {
			input_give_credit(input, (uint32_t)n);
			bytes += n;
			size -= (uint32_t)n;
		}
	}
	if (size > 0 && backlog_add(input, bytes, size) < 0)
		input_stop(input);
	else
		input_flush(input);
}

void relay_open(struct relay *relay, uint32_t stream, void (*ended)(struct relay *relay))
{
	static const uint8_t types[2] = {FRAME_STDOUT, FRAME_STDERR};

	*relay = (struct relay){.stream = stream, .ended = ended, .console = -1};
	relay->input = (struct input){.source.fd = -1, .window.open = FRAME_CREDIT, .relay = relay};
	for (int i = 0; i < 2; i++)
		relay->output[i] = (struct output){
			.source.fd = -1, .type = types[i], .credit = FRAME_CREDIT, .left = -1, .relay = relay};
}

void relay_attach(struct relay *relay, int input, int output, int error)
{
	if (input >= 0) {
		loop_add(&relay->input.source, input, 0, input_ready);
		input_flush(&relay->input);
	} else {
		input_stop(&relay->input);
	}
	if (output >= 0)
		loop_add(&relay->output[0].source, output, 0, output_ready);
	if (error >= 0)
		loop_add(&relay->output[1].source, error, 0, output_ready);
}

void relay_start(struct relay *relay)
{
	uint32_t owed = relay->input.owed;

	relay->running = true;
	relay->input.owed = 0;
	input_give_credit(&relay->input, owed);
	if (relay->input.source.fd >= 0)
		input_flush(&relay->input);
	for (int i = 0; i < 2; i++)
		if (relay->output[i].source.fd < 0)
			output_end(&relay->output[i]);
	relay_update(relay);
}

void relay_update(struct relay *relay)
{
	for (int i = 0; i < 2; i++)
		output_update(&relay->output[i]);
}

/*
 * The process is dead. What its pipes hold now was its own; what others, that it left behind, write later is not
 * waited for. PID 1 leaves nobody behind, and a terminal hangs up; the init of a system is not dead, but has nothing more to say.
 */
void relay_process_ended(struct relay *relay)
{
	relay->drains = true;
	relay->deadline = now_millis() + DRAIN_MILLIS;
	if ((relay->terminal || relay->first) && !relay->sysinit)
		return;
	for (int i = 0; i < 2; i++) {
		struct output *output = &relay->output[i];
		int held = 0;
		if (output->ended || output->source.fd < 0 || ioctl(output->source.fd, FIONREAD, &held) < 0)
			continue;
		output->left = held;
		if (held == 0)
			output_end(output);
		output_update(output);
	}
}

void relay_cut(struct relay *relay)
{
	for (int i = 0; i < 2; i++)
		output_end(&relay->output[i]);
	relay_update(relay);
}

void relay_client_gone(struct relay *relay)
{
	relay->gone = true;
	input_stop(&relay->input);
	relay_cut(relay);
	if (relay->terminal)
		for (int i = 0; i < 2; i++)
			output_close(&relay->output[i]);
}

bool relay_output_ended(const struct relay *relay)
{
	return relay->output[0].ended && relay->output[1].ended;
}

bool relay_output_closed(const struct relay *relay)
{
	return relay->output[0].source.fd < 0 && relay->output[1].source.fd < 0;
}

void relay_close_input(struct relay *relay)
{
	loop_close(&relay->input.source);
}

void relay_close(struct relay *relay)
{
	close_clear(&relay->console);
	relay_close_input(relay);
	free(relay->input.backlog);
	relay->input.backlog = NULL;
	for (int i = 0; i < 2; i++)
		output_close(&relay->output[i]);
}
