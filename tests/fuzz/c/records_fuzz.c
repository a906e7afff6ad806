/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a machine, of a change of its network, of a container: what the first pass accepts, every later one can read, and no text leads out of them. */
#include "fuzz.h"

#include "guest/records/container.h"
#include "guest/records/machine.h"

#include <limits.h>

static const uint8_t *all;
static size_t whole;

static void check_text(struct span text, size_t most)
{
	HOLDS(lies_within(text.data, text.size, all, whole) && text.size <= most);
	HOLDS(text.size == 0 || !memchr(text.data, '\0', text.size));
}

static void check_record(const struct record *record)
{
	struct mount_record mount;
	struct nic_record nic;
	struct address_record address;
	struct route_record route;
	struct socket_record socket;
	struct modules_record modules;
	struct device_record device;

	switch (record->tag) {
	case RECORD_MOUNT:
		HOLDS(mount_parse(record, &mount) == 0 && mount.target.data[0] == '/');
		check_text(mount.target, PATH_MAX - 1);
		check_text(mount.source, PATH_MAX - 1);
		check_text(mount.type, PATH_MAX - 1);
		check_text(mount.data, PATH_MAX - 1);
		break;
	case RECORD_NIC:
		HOLDS(nic_parse(record, &nic) == 0 && nic.name.size > 0);
		check_text(nic.name, 15);
		break;
	case RECORD_ADDRESS:
	case RECORD_ADDRESS_GONE:
		HOLDS(address_parse(record, &address) == 0 && address.prefix <= (address.family == 4 ? 32 : 128));
		break;
	case RECORD_ROUTE:
	case RECORD_ROUTE_GONE:
		HOLDS(route_parse(record, &route) == 0 && route.prefix <= (route.family == 4 ? 32 : 128));
		break;
	case RECORD_SOCKET:
		HOLDS(socket_parse(record, &socket) == 0 && socket.mode <= 07777);
		break;
	case RECORD_MODULES:
		HOLDS(modules_parse(record, &modules) == 0 && strlen(modules.name) == record->length);
		break;
	case RECORD_DEVICE:
		HOLDS(device_parse(record, &device) == 0 && device.mode <= 07777);
		check_text(device.path, PATH_MAX - 1);
		check_text(device.serial, PATH_MAX - 1);
		HOLDS(device.path.size > 5 && memcmp(device.path.data, "/dev/", 5) == 0);
		HOLDS(!memmem(device.path.data, device.path.size, "/../", 4));
		break;
	default:
		break;
	}
}

static size_t check_all(struct span records)
{
	size_t counted = 0;

	for (uint32_t tag = 0; tag < 256; tag++) {
		struct record record;

		/* a container's are found in the same way */
		const struct machine machine = {.records = records};

		for (size_t at = 0; machine_next(&machine, (uint16_t)tag, &at, &record);) {
			HOLDS(record.tag == tag);
			check_record(&record);
			counted += RECORD_HEADER + record.length;
		}
	}
	return counted;
}

static void check_machine(const uint8_t *records, bool change)
{
	struct machine machine;
	int r = change ? machine_parse_change(records, whole, &machine) : machine_parse(records, whole, &machine);

	HOLDS(r <= 0);
	if (r < 0)
		return;
	check_text(machine.hostname, 64);
	check_text(machine.domainname, 64);
	HOLDS(check_all(machine.records) == whole);
}

static void check_container(const uint8_t *records)
{
	struct container container;
	int r = container_parse(records, whole, &container);

	HOLDS(r <= 0);
	if (r < 0)
		return;
	HOLDS(container.cgroups <= CGROUPS_HYBRID && check_all(container.records) == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MACHINE, CHANGE, CONTAINER, KINDS };
	struct bytes in = {data, size};
	int kind = take_u8(&in) % KINDS;
	uint8_t *records = take_copy(&in, MACHINE_MAX_RECORDS, &whole);

	all = records;
	if (kind == CONTAINER)
		check_container(records);
	else
		check_machine(records, kind == CHANGE);
	free(records);
	return 0;
}
