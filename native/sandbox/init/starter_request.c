/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/init/starter_request.h"

#include "common/frame.h"

#include <string.h>

#define PACKAGE "/opt/dkvm/"

/* The one program of each kind; QEMU's ends with the machine's name. */
static const char *const programs[STARTER_KINDS] = {
	[STARTER_VIRTIOFSD] = "/usr/libexec/virtiofsd", [STARTER_QEMU] = "/usr/bin/qemu-system-",
	[STARTER_DISKS] = PACKAGE "dkvm-disk",          [STARTER_SOCKETS] = PACKAGE "dkvm-sockets",
	[STARTER_EXHAUST] = PACKAGE "dkvm-exhaust",     [STARTER_LOCKS] = PACKAGE "dkvm-locks",
	[STARTER_EVENTS] = PACKAGE "dkvm-events",       [STARTER_WEB] = PACKAGE "dkvm-web",
};

struct reader {
	char *at;
	size_t left;
	bool good;
};

static uint8_t take_byte(struct reader *reader)
{
	if (reader->left == 0)
		reader->good = false;
	if (!reader->good)
		return 0;
	reader->left--;
	return (uint8_t)*reader->at++;
}

static uint16_t take_number(struct reader *reader)
{
	uint16_t low = take_byte(reader);

	return (uint16_t)(low | take_byte(reader) << 8);
}

static char *take_text(struct reader *reader)
{
	static char nothing[1];
	char *text = reader->at;
	char *end = reader->good ? memchr(text, '\0', reader->left) : NULL;

	if (!end) {
		reader->good = false;
		return nothing;
	}
	reader->at = end + 1;
	reader->left -= (size_t)(reader->at - text);
	return text;
}

/* A slot, or the directory of slots: runc made it, so neither a name nor a link in it is of the monitor's choice. */
static bool is_disk_root(const char *path)
{
	static const char *const directories[] = {"/share", "/disks"};

	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		size_t length = strlen(directories[i]);

		if (strncmp(path, directories[i], length) != 0)
			continue;
		const char *slot = path + length;
		return *slot == '\0' || (*slot == '/' && slot[1] && slot[1] != '.' && !strchr(slot + 1, '/'));
	}
	return false;
}

static void take_descriptor(struct reader *reader, struct starter_descriptor *descriptor)
{
	descriptor->how = (enum starter_how)take_byte(reader);
	descriptor->number = take_byte(reader);
	descriptor->root = descriptor->how == STARTER_DISK ? take_text(reader) : "/";
	descriptor->path = take_text(reader);
	if (descriptor->how == STARTER_DISK)
		reader->good = reader->good && is_disk_root(descriptor->root);
	reader->good = reader->good && descriptor->how >= STARTER_CONNECT && descriptor->how <= STARTER_STATE &&
		       descriptor->number >= STARTER_FIRST && descriptor->number <= STARTER_LAST &&
		       descriptor->root[0] == '/' && descriptor->path[0] == '/';
}

static bool is_program(enum starter_kind kind, const char *path)
{
	size_t length = strlen(programs[kind]);

	if (kind == STARTER_QEMU)
		return strncmp(path, programs[kind], length) == 0 && !strchr(path + length, '/');
	return strcmp(path, programs[kind]) == 0;
}

/* What tells of a terminal; no variable that a loader or a library goes by. */
static bool is_variable(const char *text)
{
	return strncmp(text, "TERM=", 5) == 0 || strncmp(text, "TERMINFO=", 9) == 0;
}

bool starter_request_read(struct starter_request *request, char *bytes, size_t size)
{
	struct reader reader = {bytes, size, true};
	uint8_t kind = take_byte(&reader), flags = take_byte(&reader);

	memset(request, 0, sizeof *request);
	request->kind = (enum starter_kind)kind;
	request->terminal = (flags & STARTER_TERMINAL) != 0;
	request->descriptor_count = take_byte(&reader);
	size_t arguments = take_number(&reader);

	request->variable_count = take_number(&reader);
	if (!reader.good || kind >= STARTER_KINDS || flags > STARTER_TERMINAL ||
	    request->descriptor_count > LAUNCH_HANDED || arguments == 0 || arguments > STARTER_ARGUMENTS ||
	    request->variable_count > STARTER_VARIABLES)
		return false;
	for (size_t i = 0; i < request->descriptor_count; i++)
		take_descriptor(&reader, &request->descriptors[i]);
	for (size_t i = 0; i < arguments; i++)
		request->arguments[i] = take_text(&reader);
	for (size_t i = 0; i < request->variable_count; i++)
		request->variables[i] = take_text(&reader);
	for (size_t i = 0; i < request->variable_count; i++)
		reader.good = reader.good && is_variable(request->variables[i]);
	return reader.good && reader.left == 0 && is_program(request->kind, request->arguments[0]);
}
