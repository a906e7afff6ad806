/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest: started as /init in the agent's place, it does to the monitor what the kernel parameter `hostile=`
 * names. Whatever it is, the monitor has to end the VM, with an error, within its bounds.
 */
#include "common/frame.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

static int port = -1;
static uint8_t buffer[FRAME_HEADER + FRAME_MAX_PAYLOAD];

static void put(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size > 0) {
		ssize_t n = write(port, p, size);
		if (n <= 0)
			pause();
		p += n;
		size -= (size_t)n;
	}
}

static void send_frame(uint8_t type, uint32_t stream, const void *payload, uint32_t size)
{
	frame_header(buffer, type, stream, size);
	if (size > 0)
		memcpy(buffer + FRAME_HEADER, payload, size);
	put(buffer, (size_t)FRAME_HEADER + size);
}

static void hello(void)
{
	uint8_t payload[16 + 4] = {0};

	put_u32(payload, FRAME_MAGIC);
	put_u16(payload + 4, PROTOCOL_VERSION);
	memcpy(payload + 16, "evil", 4);
	send_frame(FRAME_HELLO, 0, payload, sizeof payload);
}

static void ready(void)
{
	uint8_t payload[9] = {4};

	hello();
	send_frame(FRAME_READY, 0, payload, sizeof payload);
}

static void opened(void)
{
	uint8_t pid[4] = {1};

	ready();
	send_frame(FRAME_OPENED, 1, pid, sizeof pid);
}

static void garbage(void)
{
	for (unsigned int i = 0; i < sizeof buffer; i++)
		buffer[i] = (uint8_t)(i * 2654435761u >> 13);
	for (;;)
		put(buffer, sizeof buffer);
}

static void oversized(void)
{
	hello();
	frame_header(buffer, FRAME_LOG, 0, UINT32_MAX);
	put(buffer, FRAME_HEADER);
}

static void truncated(void)
{
	hello();
	frame_header(buffer, FRAME_READY, 0, 9);
	put(buffer, FRAME_HEADER + 3);
	reboot(RB_POWER_OFF);
}

static void disorder(void)
{
	send_frame(FRAME_FINISHED, 0, "\0\0\0\0", 4);
}

static void unknown(void)
{
	hello();
	send_frame(0x7F, 0, "", 0);
}

static void forged(void)
{
	ready();
	send_frame(FRAME_STDOUT, 77, "not yours", 9);
}

static void overdraft(void)
{
	static const uint8_t data[FRAME_DATA_PAYLOAD];

	opened();
	for (;;)
		send_frame(FRAME_STDOUT, 1, data, sizeof data);
}

static void credit(void)
{
	uint8_t payload[5] = {CHANNEL_STDIN, 0xFF, 0xFF, 0xFF, 0xFF};

	opened();
	for (int i = 0; i < 1000; i++)
		send_frame(FRAME_CREDIT_MORE, 1, payload, sizeof payload);
}

static void flood(void)
{
	static uint8_t text[1024];

	memset(text, '\033', sizeof text);
	hello();
	for (;;)
		send_frame(FRAME_LOG, 0, text, sizeof text);
}

static void queries(void)
{
	static const uint8_t query[1 + 12];

	ready();
	for (uint32_t id = 1;; id++)
		send_frame(FRAME_DNS_QUERY, id, query, sizeof query);
}

static void answers(void)
{
	static const uint8_t payload[5] = {1};

	opened();
	for (;;)
		send_frame(FRAME_NETWORK_SET, 0, payload, sizeof payload);
}

static void sockets(void)
{
	static const uint8_t open[12];

	ready();
	send_frame(FRAME_SOCKET_OPEN, 1, open, sizeof open);
}

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
	{"garbage", garbage}, {"oversized", oversized}, {"truncated", truncated}, {"disorder", disorder},
	{"unknown", unknown}, {"forged", forged},       {"overdraft", overdraft}, {"credit", credit},
	{"flood", flood},     {"queries", queries},     {"answers", answers},     {"sockets", sockets},
};

static void open_port(void)
{
	char path[64], name[32] = "";
	DIR *ports = NULL;

	mkdir("/sys", 0755);
	mkdir("/proc", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	for (int tries = 0; port < 0 && tries < 1000; tries++, usleep(10000)) {
		ports = opendir("/sys/class/virtio-ports");
		for (struct dirent *entry = ports ? readdir(ports) : NULL; entry; entry = readdir(ports)) {
			snprintf(path, sizeof path, "/sys/class/virtio-ports/%.20s/name", entry->d_name);
			int fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd >= 0 && read(fd, name, sizeof name - 1) > 0 && strncmp(name, "dkvm.agent", 10) == 0) {
				snprintf(path, sizeof path, "/dev/%.20s", entry->d_name);
				port = open(path, O_RDWR | O_CLOEXEC);
			}
			if (fd >= 0)
				close(fd);
		}
		if (ports)
			closedir(ports);
	}
}

int main(void)
{
	static char parameters[4096];

	open_port();
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (port < 0 || fd < 0 || read(fd, parameters, sizeof parameters - 1) <= 0)
		reboot(RB_POWER_OFF);
	const char *wanted = strstr(parameters, "hostile=");
	for (size_t i = 0; wanted && i < sizeof attacks / sizeof *attacks; i++)
		if (strncmp(wanted + 8, attacks[i].name, strlen(attacks[i].name)) == 0)
			attacks[i].run();
	for (;;)
		pause();
}
