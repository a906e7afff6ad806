/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's records (MACHINE): what all containers of the VM share. Read and checked; pure: no system calls. */
#ifndef DKVM_MACHINE_H
#define DKVM_MACHINE_H

#include "common/frame.h"
#include "common/span.h"

enum { MACHINE_MAX_RECORDS = 1024 * 1024, ENTROPY_SIZE = 64 }; /* bytes */

/* Spans point into the records. Records that may be repeated are read in order by machine_next. */
struct machine {
	struct span records;
	struct span hostname, domainname; /* empty: not given */
	uint64_t clock;                   /* ns since 1970 UTC, 0: not given */
	const uint8_t *entropy;           /* ENTROPY_SIZE bytes that no other VM was given; NULL: not given */
	bool online_cpus;                 /* the kernel came up on one processor: the others are to be brought online */
	uint32_t processors;              /* so many of them, with the first; 0: all */
	bool shared_network;              /* the sandbox's namespace is others', too */
	uint8_t outer_loopback[4];        /* then: the IPv4 address that leads to 127.0.0.1 there */
};

struct nic_record {
	uint8_t mac[6];
	uint32_t mtu;
	struct span name;
};

struct address_record {
	uint8_t mac[6];
	uint8_t family; /* 4 or 6 */
	uint8_t prefix; /* bits */
	uint8_t address[16], broadcast[16];
};

struct route_record {
	uint8_t mac[6];
	uint8_t family; /* 4 or 6 */
	uint8_t prefix; /* bits */
	uint8_t destination[16], gateway[16];
	uint32_t metric;
	uint8_t scope; /* RT_SCOPE_* */
};

struct modules_record {
	char name[16];
};

/* Read and check every record. Returns 0 or -EPROTO. */
int machine_parse(const uint8_t *records, size_t size, struct machine *machine);

/* The same for the records of a change of the network (NETWORK): no others, and those of what is gone. */
int machine_parse_change(const uint8_t *records, size_t size, struct machine *machine);

/* Find the next record of a tag from *at (0 first) on; false when there is none. Only after machine_parse. */
bool machine_next(const struct machine *machine, uint16_t tag, size_t *at, struct record *record);

/* Each returns 0 or -EPROTO. */
int nic_parse(const struct record *record, struct nic_record *nic);
int address_parse(const struct record *record, struct address_record *address);
int route_parse(const struct record *record, struct route_record *route);
int modules_parse(const struct record *record, struct modules_record *modules);

#endif
