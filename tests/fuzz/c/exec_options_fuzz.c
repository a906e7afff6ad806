/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of dkvm-exec, its arguments divided by NULs: what it accepts becomes records that the agent accepts, for the
 * whole VM's channel breaks with those it does not.
 */
#include "fuzz.h"

#include "guest/records/process.h"
#include "sandbox/exec/exec_options.h"

enum { ARGUMENTS_MAX = 64 };

static char *environment[] = {(char[]){"HOME=/root"}, (char[]){"PATH=/bin"}, (char[]){"no assignment"}, NULL};

static void check(struct request *request, size_t piece)
{
	uint64_t length = request_length(request);
	struct process process;
	size_t read = 0;

	HOLDS(length <= REQUEST_MAX);
	uint8_t *records = malloc(length + 1);

	HOLDS(records);
	while (!request_done(request)) {
		size_t room = length - read, n = request_read(request, records + read, piece < room ? piece : room);

		HOLDS(n <= room && (n > 0 || request_done(request) || room == 0));
		read += n;
		if (room == 0)
			break;
	}
	HOLDS(read == length && request_read(request, records + read, 1) == 0 && request_done(request));
	HOLDS(process_parse(records, read, &process) == 0);
	HOLDS(process.envs <= 2 && (process.envs == 1 || !request->set_home));
	free(records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	size_t piece = 1 + take_u8(&in);
	char *argv[ARGUMENTS_MAX + 2] = {(char[]){"dkvm-exec"}};
	int count = 1;
	struct exec_options options;
	static struct request request;

	while (in.left > 0 && count <= ARGUMENTS_MAX)
		argv[count++] = take_text(&in);
	memset(&request, 0, sizeof request);
	request.environment = environment;
	const char *wrong = exec_options_parse(&options, &request, argv);
	HOLDS(wrong || options.signal <= 64);
	HOLDS(options.socket[0] == '/' || count > 1);
	HOLDS(request.options_length <= sizeof request.options);
	if (!wrong && !options.signal && !options.update)
		check(&request, piece);
	for (int i = 1; i < count; i++)
		free(argv[i]);
	return 0;
}
