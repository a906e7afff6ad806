/* SPDX-License-Identifier: Apache-2.0 */
/* A container's records (CONTAINER): its root, mounts, devices, limits. Read and checked; pure: no system calls. */
#ifndef DKVM_CONTAINER_H
#define DKVM_CONTAINER_H

#include "common/frame.h"
#include "common/span.h"

enum {
	CONTAINER_MAX_RECORDS = 1024 * 1024, /* bytes */
};

enum cgroups_mode { CGROUPS_NONE = 0, CGROUPS_V1 = 1, CGROUPS_V2 = 2, CGROUPS_HYBRID = 3 };

/* Spans point into the records. Records that may be repeated are read in order by container_next. */
struct container {
	struct span records;
	bool read_only_root;
	enum cgroups_mode cgroups;
	uint64_t pids_limit;
	struct span root_slot;          /* path below the share; empty: that of the VM's first container */
	uint64_t memory_limit;          /* bytes; 0: none */
	uint64_t cpu_quota, cpu_period; /* microseconds; 0: no limit */
	uint32_t cpu_weight;            /* 0: not given */
	bool shares_pids;               /* its processes are in the first container's PID namespace */
	bool own_ipc;                   /* it has an IPC namespace of its own */
	struct span host_name;          /* in a UTS namespace of its own; empty: it has the VM's */
};

enum mount_kind { MOUNT_FILESYSTEM = 1, MOUNT_SLOT = 2, MOUNT_BLOCK = 3, MOUNT_SOCKET = 4, MOUNT_OF_POD = 5 };

/* Where a slot's name leads: nowhere; to the first container's own; to a member's own; to a volume of the pod's. */
enum slot_kind { SLOT_NONE, SLOT_OF_FIRST, SLOT_OF_MEMBER, SLOT_OF_POD };

struct mount_record {
	enum mount_kind kind;
	uint64_t flags; /* MS_* */
	struct span target, source, type, data;
};

struct socket_record {
	uint32_t number;
	uint8_t type; /* SOCK_* */
	bool gone;    /* nobody listens there any more */
	uint32_t mode, uid, gid;
};

enum device_kind { DEVICE_BLOCK = 1, DEVICE_CHARACTER = 2 };

struct device_record {
	enum device_kind kind;
	uint32_t mode, uid, gid, major, minor;
	struct span path;   /* below /dev, without empty names, . and .. */
	struct span serial; /* of a disk; its number is not told */
};

/* Read and check every record. Returns 0 or -EPROTO. */
int container_parse(const uint8_t *records, size_t size, struct container *container);

/* Find the next record of a tag from *at (0 first) on; false when there is none. Only after container_parse. */
bool container_next(const struct container *container, uint16_t tag, size_t *at, struct record *record);

/* Whether something is to be mounted on exactly that path. Only after container_parse. */
bool container_mounts_on(const struct container *container, const char *path);

/* Whether the records are such as only the VM's first container has, or only others, the members of a pod. Only after container_parse. */
bool container_fits_first(const struct container *container);
bool container_fits_member(const struct container *container);

/* "NAME", "pod/NAME/NAME" or "pod/volumes/NAME"; no name is empty or begins with a dot. */
enum slot_kind slot_kind(struct span slot);

/* The source of a MOUNT_OF_POD: "NAME" or "NAME/PATH", without names that lead elsewhere; the path may be empty. Returns 0 or -EPROTO. */
int pod_source_parse(struct span source, struct span *name, struct span *path);

/*
 * Of a MOUNT_SLOT with a type, which is the slot of a volume of the pod's: the same directory is to be found in it by a path, and has that inode
 * number. Returns 0 or -EPROTO.
 */
int slot_part_parse(const struct mount_record *mount, uint64_t *inode, struct span *path);

/* Each returns 0 or -EPROTO. */
int mount_parse(const struct record *record, struct mount_record *mount);
int socket_parse(const struct record *record, struct socket_record *socket);
int device_parse(const struct record *record, struct device_record *device);

#endif
