/* SPDX-License-Identifier: Apache-2.0 */
/* protocol/vectors: what a client says first, and what it takes for the end of a pod's container. */
#include "sandbox/client/client_frames.h"
#include "sandbox/client/client_send.h"

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct client client;
static uint8_t bytes[256];
static size_t size;

static void vector(const char *name)
{
	char path[256], line[512];

	snprintf(path, sizeof path, VECTORS "/%s.hex", name);
	FILE *file = fopen(path, "r");
	size = 0;
	while (file && fgets(line, sizeof line, file)) {
		if (line[0] == '#')
			continue;
		for (char *digits = strtok(line, " \n"); digits && size < sizeof bytes; digits = strtok(NULL, " \n"))
			bytes[size++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	CHECK(size > FRAME_HEADER);
	if (file)
		fclose(file);
}

static bool attaches_as(const char *name)
{
	vector(name);
	client_send_attach(&client);
	return client.send_end == size && memcmp(client.send, bytes, size) == 0;
}

static void the_first_container_is_attached_to(void)
{
	const struct winsize window = {.ws_row = 24, .ws_col = 80};
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(terminal >= 0 && ioctl(terminal, TIOCSWINSZ, &window) == 0 && dup2(terminal, STDIN_FILENO) == 0);
	client = (struct client){.role = ROLE_MAIN,
				 .container = FIRST_CONTAINER,
				 .terminal = true,
				 .stdin_open = true,
				 .ignored_signals = 3};
	CHECK(attaches_as("attach"));
	close(terminal);
	close(master);
}

static void a_pods_container_is_attached_to(void)
{
	client = (struct client){.role = ROLE_MAIN, .container = 7, .stdin_open = true, .ignored_signals = 1 << 12};
	CHECK(attaches_as("attach-member"));
}

static void a_process_of_it_is_asked_for(void)
{
	client = (struct client){.role = ROLE_EXEC, .container = UINT32_MAX};
	CHECK(attaches_as("attach-exec"));
}

/* Of another stream on the agent channel; the monitor gives it the client's. */
static enum client_end hear(const char *name)
{
	client = (struct client){.container = 7};
	vector(name);
	put_u32(bytes + 5, 1);
	memcpy(client.receive, bytes, size);
	client.received = size;
	return client_take_frames(&client);
}

static void its_end_says_whether_memory_ran_out(void)
{
	CHECK(hear("exit-out-of-memory") == CLIENT_EXITED && client.code == 137 && client.out_of_memory);
	CHECK(hear("exit") == CLIENT_EXITED && client.code == 137 && !client.out_of_memory);
}

int main(void)
{
	test("the first container is attached to", the_first_container_is_attached_to);
	test("a pod's container is attached to", a_pods_container_is_attached_to);
	test("a process of it is asked for", a_process_of_it_is_asked_for);
	test("its end says whether memory ran out", its_end_says_whether_memory_ran_out);
	return tests_end();
}
