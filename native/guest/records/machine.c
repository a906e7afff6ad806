/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/records/machine.h"

#include "guest/records/values.h"

#include <errno.h>
#include <limits.h>

enum { NAME_LENGTH = 64, INTERFACE_LENGTH = 15 }; /* bytes: __NEW_UTS_LEN, IFNAMSIZ - 1 */

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

static int sysctl_check(const struct record *record)
{
	struct span text;

	if (text_value(record, PATH_MAX - 1, &text) < 0 || text.data[0] == '=')
		return -EPROTO;
	return memchr(text.data, '=', text.size) ? 0 : -EPROTO;
}

static int shared_network_value(const struct record *record, struct machine *machine)
{
	if (record->length != sizeof machine->outer_loopback)
		return -EPROTO;
	memcpy(machine->outer_loopback, record->value, sizeof machine->outer_loopback);
	machine->shared_network = true;
	return 0;
}

static int entropy_value(const struct record *record, struct machine *machine)
{
	if (record->length != ENTROPY_SIZE)
		return -EPROTO;
	machine->entropy = record->value;
	return 0;
}

static int take(const struct record *record, struct machine *machine)
{
	union {
		struct nic_record nic;
		struct address_record address;
		struct route_record route;
		struct modules_record modules;
	} checked;
	int byte;

	switch (record->tag) {
	case RECORD_HOSTNAME:
		return text_value(record, NAME_LENGTH, &machine->hostname);
	case RECORD_DOMAINNAME:
		return text_value(record, NAME_LENGTH, &machine->domainname);
	case RECORD_CLOCK:
		return u64_value(record, &machine->clock);
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
	case RECORD_PROCESSORS:
		return u32_value(record, &machine->processors);
	case RECORD_MODULES:
		return modules_parse(record, &checked.modules);
	case RECORD_SHARED_NETWORK:
		return shared_network_value(record, machine);
	case RECORD_ENTROPY:
		return entropy_value(record, machine);
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

	*machine = (struct machine){.records = {records, size}};
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
	return records_next(machine->records, tag, at, record);
}
