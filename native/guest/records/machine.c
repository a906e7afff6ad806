/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/records/machine.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

enum { NAME_LENGTH = 64, INTERFACE_LENGTH = 15 }; /* bytes: __NEW_UTS_LEN, IFNAMSIZ - 1 */

static bool has_nul(struct span text)
{
	return text.size > 0 && memchr(text.data, '\0', text.size);
}

static int text_value(const struct record *record, size_t max, struct span *text)
{
	*text = (struct span){record->value, record->length};
	return text->size == 0 || text->size > max || has_nul(*text) ? -EPROTO : 0;
}

/* Take a length and its bytes from the front of rest. */
static int take_string(struct span *rest, struct span *text)
{
	if (rest->size < 4)
		return -EPROTO;
	uint32_t length = get_u32(rest->data);
	if (length > rest->size - 4 || length >= PATH_MAX)
		return -EPROTO;
	*text = (struct span){rest->data + 4, length};
	*rest = (struct span){rest->data + 4 + length, rest->size - 4 - length};
	return has_nul(*text) ? -EPROTO : 0;
}

int mount_parse(const struct record *record, struct mount_record *mount)
{
	if (record->length < 9)
		return -EPROTO;
	uint8_t kind = record->value[0];
	struct span rest = {record->value + 9, record->length - 9u};
	if (kind < MOUNT_FILESYSTEM || kind > MOUNT_SOCKET)
		return -EPROTO;
	mount->kind = kind;
	mount->flags = get_u64(record->value + 1);
	if (take_string(&rest, &mount->target) < 0 || take_string(&rest, &mount->source) < 0 ||
	    take_string(&rest, &mount->type) < 0 || take_string(&rest, &mount->data) < 0)
		return -EPROTO;
	if (mount->target.size == 0 || mount->target.data[0] != '/')
		return -EPROTO;
	return rest.size == 0 ? 0 : -EPROTO;
}

int nic_parse(const struct record *record, struct nic_record *nic)
{
	if (record->length < 14)
		return -EPROTO;
	struct span rest = {record->value + 10, record->length - 10u};
	memcpy(nic->mac, record->value, 6);
	nic->mtu = get_u32(record->value + 6);
	if (take_string(&rest, &nic->name) < 0 || rest.size != 0)
		return -EPROTO;
	if (nic->name.size == 0 || nic->name.size > INTERFACE_LENGTH || memchr(nic->name.data, '/', nic->name.size))
		return -EPROTO;
	return 0;
}

static bool family_fits(uint8_t family, uint8_t prefix)
{
	return (family == 4 && prefix <= 32) || (family == 6 && prefix <= 128);
}

int address_parse(const struct record *record, struct address_record *address)
{
	const uint8_t *p = record->value;

	if (record->length != 40 || !family_fits(p[6], p[7]))
		return -EPROTO;
	memcpy(address->mac, p, 6);
	address->family = p[6];
	address->prefix = p[7];
	memcpy(address->address, p + 8, 16);
	memcpy(address->broadcast, p + 24, 16);
	return 0;
}

int route_parse(const struct record *record, struct route_record *route)
{
	const uint8_t *p = record->value;

	if (record->length != 46 || !family_fits(p[6], p[7]))
		return -EPROTO;
	memcpy(route->mac, p, 6);
	route->family = p[6];
	route->prefix = p[7];
	memcpy(route->destination, p + 8, 16);
	memcpy(route->gateway, p + 24, 16);
	route->metric = get_u32(p + 40);
	route->scope = p[44];
	return 0;
}

int socket_parse(const struct record *record, struct socket_record *socket)
{
	const uint8_t *p = record->value;

	if (record->length != 20 || p[5] > 1 || get_u32(p + 8) > 07777)
		return -EPROTO;
	if (p[4] != SOCK_STREAM && p[4] != SOCK_DGRAM && p[4] != SOCK_SEQPACKET)
		return -EPROTO;
	*socket = (struct socket_record){.number = get_u32(p),
					 .type = p[4],
					 .gone = p[5] == 1,
					 .mode = get_u32(p + 8),
					 .uid = get_u32(p + 12),
					 .gid = get_u32(p + 16)};
	return 0;
}

int modules_parse(const struct record *record, struct modules_record *modules)
{
	if (record->length == 0 || record->length >= sizeof modules->name)
		return -EPROTO;
	for (uint32_t i = 0; i < record->length; i++)
		if (record->value[i] < 'a' || record->value[i] > 'z')
			return -EPROTO;
	memcpy(modules->name, record->value, record->length);
	modules->name[record->length] = '\0';
	return 0;
}

/* Whether a path is below /dev whatever is there: no name of it is empty, . or .. */
static bool is_below_dev(struct span path)
{
	const uint8_t *end = path.data + path.size;

	if (path.size < 6 || memcmp(path.data, "/dev/", 5) != 0)
		return false;
	for (const uint8_t *name = path.data + 5; name <= end; name++) {
		const uint8_t *slash = memchr(name, '/', (size_t)(end - name));
		struct span one = {name, (size_t)((slash ? slash : end) - name)};
		if (one.size == 0 || span_is(one, ".") || span_is(one, ".."))
			return false;
		name += one.size;
	}
	return true;
}

int device_parse(const struct record *record, struct device_record *device)
{
	const uint8_t *p = record->value;

	if (record->length < 21 || p[0] < DEVICE_BLOCK || p[0] > DEVICE_CHARACTER)
		return -EPROTO;
	struct span rest = {p + 21, record->length - 21u};
	device->kind = (enum device_kind)p[0];
	device->mode = get_u32(p + 1);
	device->uid = get_u32(p + 5);
	device->gid = get_u32(p + 9);
	device->major = get_u32(p + 13);
	device->minor = get_u32(p + 17);
	if (take_string(&rest, &device->path) < 0 || take_string(&rest, &device->serial) < 0 || rest.size != 0)
		return -EPROTO;
	if (device->mode > 07777 || (device->kind == DEVICE_BLOCK) != (device->serial.size > 0))
		return -EPROTO;
	return is_below_dev(device->path) ? 0 : -EPROTO;
}

static int sysctl_check(const struct record *record)
{
	struct span text;

	if (text_value(record, PATH_MAX - 1, &text) < 0 || text.data[0] == '=')
		return -EPROTO;
	return memchr(text.data, '=', text.size) ? 0 : -EPROTO;
}

static int byte_value(const struct record *record, uint8_t max)
{
	return record->length == 1 && record->value[0] <= max ? record->value[0] : -EPROTO;
}

static int u64_value(const struct record *record, uint64_t *value)
{
	if (record->length != 8)
		return -EPROTO;
	*value = get_u64(record->value);
	return 0;
}

static int shared_network_value(const struct record *record, struct machine *machine)
{
	if (record->length != sizeof machine->outer_loopback)
		return -EPROTO;
	memcpy(machine->outer_loopback, record->value, sizeof machine->outer_loopback);
	machine->shared_network = true;
	return 0;
}

static int u32_value(const struct record *record, uint32_t *value)
{
	if (record->length != 4)
		return -EPROTO;
	*value = get_u32(record->value);
	return 0;
}

static int take(const struct record *record, struct machine *machine)
{
	union {
		struct mount_record mount;
		struct nic_record nic;
		struct address_record address;
		struct route_record route;
		struct modules_record modules;
		struct socket_record socket;
		struct device_record device;
	} checked;
	int byte;

	switch (record->tag) {
	case RECORD_HOSTNAME:
		return text_value(record, NAME_LENGTH, &machine->hostname);
	case RECORD_DOMAINNAME:
		return text_value(record, NAME_LENGTH, &machine->domainname);
	case RECORD_CLOCK:
		return u64_value(record, &machine->clock);
	case RECORD_ROOT:
		byte = byte_value(record, 1);
		machine->read_only_root = byte == 1;
		return byte < 0 ? byte : 0;
	case RECORD_MOUNT:
		return mount_parse(record, &checked.mount);
	case RECORD_SYSCTL:
		return sysctl_check(record);
	case RECORD_NIC:
		return nic_parse(record, &checked.nic);
	case RECORD_ADDRESS:
		return address_parse(record, &checked.address);
	case RECORD_NIC_GONE:
		return record->length == 6 ? 0 : -EPROTO;
	case RECORD_ADDRESS_GONE:
		return address_parse(record, &checked.address);
	case RECORD_ROUTE_GONE:
	case RECORD_ROUTE:
		return route_parse(record, &checked.route);
	case RECORD_CGROUPS:
		byte = byte_value(record, CGROUPS_HYBRID);
		machine->cgroups = byte < 0 ? CGROUPS_NONE : (enum cgroups_mode)byte;
		return byte < 0 ? byte : 0;
	case RECORD_PIDS_LIMIT:
		return u64_value(record, &machine->pids_limit);
	case RECORD_PROCESSORS:
		return u32_value(record, &machine->processors);
	case RECORD_MODULES:
		return modules_parse(record, &checked.modules);
	case RECORD_SHARED_NETWORK:
		return shared_network_value(record, machine);
	case RECORD_SOCKET:
		return socket_parse(record, &checked.socket);
	case RECORD_DEVICE:
		return device_parse(record, &checked.device);
	case RECORD_ONLINE_CPUS:
		byte = byte_value(record, 1);
		machine->online_cpus = byte == 1;
		return byte < 0 ? byte : 0;
	default:
		return -EPROTO;
	}
}

static bool is_of_network(uint16_t tag)
{
	return tag == RECORD_NIC || tag == RECORD_ADDRESS || tag == RECORD_ROUTE || tag == RECORD_SYSCTL;
}

static bool is_gone(uint16_t tag)
{
	return tag == RECORD_NIC_GONE || tag == RECORD_ADDRESS_GONE || tag == RECORD_ROUTE_GONE;
}

static int parse(const uint8_t *records, size_t size, bool changes, struct machine *machine)
{
	struct record record;
	size_t at = 0;
	long n;

	*machine = (struct machine){.records = {records, size}, .cgroups = CGROUPS_V2};
	while ((n = record_parse(records + at, size - at, &record)) > 0) {
		bool wanted = changes ? is_of_network(record.tag) || is_gone(record.tag) : !is_gone(record.tag);
		if (!wanted || take(&record, machine) < 0)
			return -EPROTO;
		at += (size_t)n;
	}
	return (int)n;
}

int machine_parse(const uint8_t *records, size_t size, struct machine *machine)
{
	return parse(records, size, false, machine);
}

int machine_parse_change(const uint8_t *records, size_t size, struct machine *machine)
{
	return parse(records, size, true, machine);
}

bool machine_next(const struct machine *machine, uint16_t tag, size_t *at, struct record *record)
{
	long n;

	while ((n = record_parse(machine->records.data + *at, machine->records.size - *at, record)) > 0) {
		*at += (size_t)n;
		if (record->tag == tag)
			return true;
	}
	return false;
}
