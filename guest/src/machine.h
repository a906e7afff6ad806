/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's records (CONFIG), read and checked. Pure: no system calls. */
#ifndef DKVM_MACHINE_H
#define DKVM_MACHINE_H

#include "frame.h"
#include "span.h"

enum { MACHINE_MAX_RECORDS = 1024 * 1024 }; /* bytes */

enum cgroups_mode { CGROUPS_NONE = 0, CGROUPS_V1 = 1, CGROUPS_V2 = 2, CGROUPS_HYBRID = 3 };

/* Spans point into the records. Records that may be repeated are read in order by machine_next. */
struct machine {
	struct span records;
	struct span hostname, domainname; /* empty: not given */
	uint64_t clock;                   /* ns since 1970 UTC, 0: not given */
	bool read_only_root;
	enum cgroups_mode cgroups;
	uint64_t pids_limit;
	bool online_cpus; /* the kernel came up on one processor: the others are to be brought online */ /* 0: none */
};

enum mount_kind { MOUNT_FILESYSTEM = 1, MOUNT_SHARE = 2, MOUNT_BLOCK = 3 };

struct mount_record {
	enum mount_kind kind;
	uint64_t flags; /* MS_* */
	struct span target, source, type, data;
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

enum device_kind { DEVICE_BLOCK = 1, DEVICE_CHARACTER = 2 };

struct device_record {
	enum device_kind kind;
	uint32_t mode, uid, gid, major, minor;
	struct span path;   /* below /dev, without empty names, . and .. */
	struct span serial; /* of a disk; its number is not told */
};

struct modules_record {
	char name[16];
};

/* Read and check every record. Returns 0 or -EPROTO. */
int machine_parse(const uint8_t *records, size_t size, struct machine *machine);

/* Find the next record of a tag from *at (0 first) on; false when there is none. Only after machine_parse. */
bool machine_next(const struct machine *machine, uint16_t tag, size_t *at, struct record *record);

/* Each returns 0 or -EPROTO. */
int mount_parse(const struct record *record, struct mount_record *mount);
int nic_parse(const struct record *record, struct nic_record *nic);
int address_parse(const struct record *record, struct address_record *address);
int route_parse(const struct record *record, struct route_record *route);
int modules_parse(const struct record *record, struct modules_record *modules);
int device_parse(const struct record *record, struct device_record *device);

#endif
