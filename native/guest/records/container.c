/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/records/container.h"

#include "guest/records/values.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

enum { CPU_WEIGHT_MAX = 10000, HOST_NAME_LENGTH = 64, INODE_DIGITS = 20 };

/* Of a filesystem that all of a pod share: letters, digits, dots and dashes. */
static bool is_pods_name(struct span name)
{
	if (name.size == 0 || name.size > NAME_MAX || name.data[0] == '.')
		return false;
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-')
			return false;
	}
	return true;
}

/* Of a path below a directory: no name is empty, "." or "..". */
static bool is_path_below(struct span path)
{
	const uint8_t *end = path.data + path.size;

	if (path.size == 0 || memchr(path.data, '\0', path.size))
		return false;
	for (const uint8_t *name = path.data; name <= end; name++) {
		const uint8_t *slash = memchr(name, '/', (size_t)(end - name));
		struct span one = {name, (size_t)((slash ? slash : end) - name)};
		if (one.size == 0 || span_is(one, ".") || span_is(one, ".."))
			return false;
		name += one.size;
	}
	return true;
}

int pod_source_parse(struct span source, struct span *name, struct span *path)
{
	const uint8_t *slash = source.size > 0 ? memchr(source.data, '/', source.size) : NULL;

	*name = source;
	*path = (struct span){source.data + source.size, 0};
	if (slash) {
		name->size = (size_t)(slash - source.data);
		*path = (struct span){slash + 1, source.size - name->size - 1};
	}
	return is_pods_name(*name) && (!slash || is_path_below(*path)) ? 0 : -EPROTO;
}

/* The end of the name that begins there, where it is one; else NULL. */
static const uint8_t *end_of_name(const uint8_t *name, const uint8_t *end)
{
	const uint8_t *slash = memchr(name, '/', (size_t)(end - name));
	const uint8_t *last = slash ? slash : end;

	return last == name || name[0] == '.' || last - name > NAME_MAX ? NULL : last;
}

enum slot_kind slot_kind(struct span slot)
{
	static const struct span pod = {(const uint8_t *)"pod/", 4}, volumes = {(const uint8_t *)"volumes/", 8};
	const uint8_t *at = slot.data, *end = at + slot.size;

	if (slot.size == 0 || memchr(at, '\0', slot.size))
		return SLOT_NONE;
	bool of_pod = slot.size > pod.size && memcmp(at, pod.data, pod.size) == 0;
	if (!of_pod)
		return end_of_name(at, end) == end && !span_is(slot, "pod") ? SLOT_OF_FIRST : SLOT_NONE;
	at += pod.size;
	bool volume = (size_t)(end - at) > volumes.size && memcmp(at, volumes.data, volumes.size) == 0;
	const uint8_t *first = end_of_name(at, end);
	if (!first || first == end || end_of_name(first + 1, end) != end)
		return SLOT_NONE;
	return volume ? SLOT_OF_POD : SLOT_OF_MEMBER;
}

int slot_part_parse(const struct mount_record *mount, uint64_t *inode, struct span *path)
{
	struct span data = mount->data;
	size_t digits = 0;

	if (slot_kind(mount->type) != SLOT_OF_POD)
		return -EPROTO;
	for (*inode = 0; digits < data.size && data.data[digits] >= '0' && data.data[digits] <= '9'; digits++)
		*inode = *inode * 10 + (uint64_t)(data.data[digits] - '0');
	if (digits == 0 || digits > INODE_DIGITS || digits == data.size || data.data[digits] != ' ')
		return -EPROTO;
	*path = (struct span){data.data + digits + 1, data.size - digits - 1};
	return is_path_below(*path) ? 0 : -EPROTO;
}

int mount_parse(const struct record *record, struct mount_record *mount)
{
	if (record->length < 9)
		return -EPROTO;
	uint8_t kind = record->value[0];
	uint64_t inode;
	struct span rest = {record->value + 9, record->length - 9u}, name, path;
	if (kind < MOUNT_FILESYSTEM || kind > MOUNT_OF_POD)
		return -EPROTO;
	mount->kind = kind;
	mount->flags = get_u64(record->value + 1);
	if (take_string(&rest, &mount->target) < 0 || take_string(&rest, &mount->source) < 0 ||
	    take_string(&rest, &mount->type) < 0 || take_string(&rest, &mount->data) < 0)
		return -EPROTO;
	if (mount->target.size == 0 || mount->target.data[0] != '/')
		return -EPROTO;
	if (kind == MOUNT_SLOT && mount->type.size > 0 && slot_part_parse(mount, &inode, &path) < 0)
		return -EPROTO;
	if (kind == MOUNT_OF_POD && pod_source_parse(mount->source, &name, &path) < 0)
		return -EPROTO;
	return rest.size == 0 ? 0 : -EPROTO;
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

/* Whether a path is below /dev whatever is there: no name of it is empty, . or .. */
static bool is_below_dev(struct span path)
{
	return path.size >= 6 && memcmp(path.data, "/dev/", 5) == 0 &&
	       is_path_below((struct span){path.data + 5, path.size - 5});
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

static int take_root_slot(const struct record *record, struct container *container)
{
	container->root_slot = (struct span){record->value, record->length};
	return slot_kind(container->root_slot) == SLOT_OF_MEMBER ? 0 : -EPROTO;
}

static int take_cpu_limit(const struct record *record, struct container *container)
{
	if (record->length != 16)
		return -EPROTO;
	container->cpu_quota = get_u64(record->value);
	container->cpu_period = get_u64(record->value + 8);
	return container->cpu_quota > 0 && container->cpu_period > 0 ? 0 : -EPROTO;
}

static int take_cpu_weight(const struct record *record, struct container *container)
{
	if (u32_value(record, &container->cpu_weight) < 0)
		return -EPROTO;
	return container->cpu_weight >= 1 && container->cpu_weight <= CPU_WEIGHT_MAX ? 0 : -EPROTO;
}

static int take(const struct record *record, struct container *container)
{
	union {
		struct mount_record mount;
		struct socket_record socket;
		struct device_record device;
	} checked;
	struct span path;
	int byte;

	switch (record->tag) {
	case RECORD_ROOT:
		byte = byte_value(record, 1);
		container->read_only_root = byte == 1;
		return byte < 0 ? byte : 0;
	case RECORD_MOUNT:
		return mount_parse(record, &checked.mount);
	case RECORD_CGROUPS:
		byte = byte_value(record, CGROUPS_HYBRID);
		container->cgroups = byte < 0 ? CGROUPS_NONE : (enum cgroups_mode)byte;
		return byte < 0 ? byte : 0;
	case RECORD_PIDS_LIMIT:
		return u64_value(record, &container->pids_limit);
	case RECORD_SOCKET:
		return socket_parse(record, &checked.socket);
	case RECORD_DEVICE:
		return device_parse(record, &checked.device);
	case RECORD_MASKED_PATH:
	case RECORD_READ_ONLY_PATH:
		return text_value(record, PATH_MAX - 1, &path) < 0 || path.data[0] != '/' ? -EPROTO : 0;
	case RECORD_ROOT_SLOT:
		return take_root_slot(record, container);
	case RECORD_MEMORY_LIMIT:
		return u64_value(record, &container->memory_limit) < 0 || container->memory_limit == 0 ? -EPROTO : 0;
	case RECORD_CPU_LIMIT:
		return take_cpu_limit(record, container);
	case RECORD_CPU_WEIGHT:
		return take_cpu_weight(record, container);
	case RECORD_PID_NAMESPACE:
		byte = byte_value(record, 1);
		container->shares_pids = byte == 1;
		return byte < 0 ? byte : 0;
	case RECORD_IPC_NAMESPACE:
		byte = byte_value(record, 1);
		container->own_ipc = byte == 1;
		return byte < 0 ? byte : 0;
	case RECORD_HOST_NAME:
		return text_value(record, HOST_NAME_LENGTH, &container->host_name);
	default:
		return -EPROTO;
	}
}

int container_parse(const uint8_t *records, size_t size, struct container *container)
{
	struct record record;
	size_t at = 0;
	long n;

	*container = (struct container){.records = {records, size}, .cgroups = CGROUPS_V2};
	while ((n = record_parse(records + at, size - at, &record)) > 0) {
		if (take(&record, container) < 0)
			return -EPROTO;
		at += (size_t)n;
	}
	return (int)n;
}

bool container_next(const struct container *container, uint16_t tag, size_t *at, struct record *record)
{
	return records_next(container->records, tag, at, record);
}

bool container_mounts_on(const struct container *container, const char *path)
{
	struct record record;
	struct mount_record mount;
	size_t at = 0;

	while (container_next(container, RECORD_MOUNT, &at, &record))
		if (mount_parse(&record, &mount) == 0 && span_is(mount.target, path))
			return true;
	return false;
}

bool container_fits_first(const struct container *container)
{
	struct record record;
	struct mount_record mount;
	size_t at = 0;

	while (container_next(container, RECORD_MOUNT, &at, &record))
		if (mount_parse(&record, &mount) == 0 && mount.kind == MOUNT_SLOT &&
		    (slot_kind(mount.source) == SLOT_OF_MEMBER || mount.type.size > 0))
			return false;
	return container->root_slot.size == 0 && container->memory_limit == 0 && container->cpu_quota == 0 &&
	       container->cpu_weight == 0 && !container->shares_pids && !container->own_ipc &&
	       container->host_name.size == 0;
}

/* Sockets of the host belong to the VM's first container: the agent listens for it alone. */
bool container_fits_member(const struct container *container)
{
	struct record record;
	struct mount_record mount;
	size_t at = 0;

	while (container_next(container, RECORD_MOUNT, &at, &record))
		if (mount_parse(&record, &mount) == 0 && mount.kind == MOUNT_SOCKET)
			return false;
	at = 0;
	return container->root_slot.size > 0 && !container_next(container, RECORD_SOCKET, &at, &record) &&
	       (container->cgroups == CGROUPS_NONE || container->cgroups == CGROUPS_V2);
}
