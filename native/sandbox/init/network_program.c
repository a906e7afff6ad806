/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/network_program.h"

#include "common/files.h"
#include "common/session_socket.h"
#include "sandbox/client/say.h"
#include "sandbox/init/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifndef PROGRAM
#define PROGRAM "/opt/dkvm/dkvm-network" /* a test has another */
#endif

int network_start(const struct rights *rights, uint32_t owner, bool guarded, const char *path, int log)
{
	char number[DECIMAL_SIZE];
	char *const argv[] = {PROGRAM, (char *)decimal(number, (long)owner), guarded ? "guarded" : "free", NULL};
	struct launch_fault fault;
	int changes[2];
	auto_close int listener = session_socket_listen(path);

	if (listener < 0)
		return listener;
	if (pipe2(changes, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	const struct launch launch = {
		.argv = argv, .environment = environ, .rights = rights, .standard = {listener, changes[1], log}};
	pid_t pid = launch_start(&launch, &fault);

	close(changes[1]);
	if (pid > 0)
		return changes[0];
	close(changes[0]);
	return (int)pid;
}

bool network_changed(int pipe)
{
	char told[256];
	bool changed = false;

	while (read(pipe, told, sizeof told) > 0)
		changed = true;
	return changed;
}
