/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and records of the DKVM protocol: protocol/PROTOCOL.md. */
#ifndef DKVM_FRAME_H
#define DKVM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_HEADER = 9,           /* bytes */
	FRAME_MAX_PAYLOAD = 65552,  /* bytes */
	FRAME_DATA_PAYLOAD = 32768, /* bytes: what a sender of data keeps to */
	FRAME_CREDIT = 65536,       /* bytes: a channel's first credit and its largest */
	RECORD_HEADER = 6,          /* bytes */
	PROTOCOL_VERSION = 3,
	MAIN_STREAM = 1, /* of the first container's main session */
};

#define FRAME_MAGIC 0x4D564B44u /* "DKVM" */

enum frame_type {
	FRAME_HELLO = 0x01,
	FRAME_WELCOME = 0x02,
	FRAME_MACHINE = 0x03,
	FRAME_SET_UP = 0x04,
	FRAME_READY = 0x05,
	FRAME_FAILED = 0x06,
	FRAME_LOG = 0x07,
	FRAME_SHUTDOWN = 0x08,
	FRAME_FINISHED = 0x09,
	FRAME_ACK = 0x0A,
	FRAME_DNS_QUERY = 0x0B,
	FRAME_DNS_ANSWER = 0x0C,
	FRAME_CLOCK = 0x0D,
	FRAME_NETWORK_CHANGED = 0x0E,
	FRAME_NETWORK = 0x0F,
	FRAME_NETWORK_SET = 0x10,
	FRAME_LISTENING = 0x12,
	FRAME_RESOLVER = 0x13,
	FRAME_LIMITS = 0x14,
	FRAME_LIMITS_DONE = 0x15,
	FRAME_UPDATE = 0x16,
	FRAME_CONTAINER = 0x17,
	FRAME_CONTAINER_LIMITS = 0x18,
	FRAME_CONTAINER_LIMITS_DONE = 0x19,
	FRAME_SHED = 0x1A,
	FRAME_SHED_DONE = 0x1B,
	FRAME_CLOCK_ASK = 0x1C,
	FRAME_USAGE_ASK = 0x1D,
	FRAME_USAGE = 0x1E,

	FRAME_ATTACH = 0x20,
	FRAME_OPEN = 0x21,
	FRAME_OPENED = 0x22,
	FRAME_REFUSED = 0x23,
	FRAME_STDIN = 0x24,
	FRAME_STDOUT = 0x25,
	FRAME_STDERR = 0x26,
	FRAME_CREDIT_MORE = 0x27,
	FRAME_SIGNAL = 0x28,
	FRAME_RESIZE = 0x29,
	FRAME_EXIT = 0x2A,
	FRAME_CLOSE = 0x2B,
	FRAME_NOTICE = 0x2C,
	FRAME_BREAK = 0x2D,

	FRAME_SOCKETS = 0x30,
	FRAME_SOCKET_OPEN = 0x31,
	FRAME_SOCKET_DATA = 0x32,
	FRAME_SOCKET_CREDIT = 0x33,
	FRAME_SOCKET_CLOSE = 0x34,
	FRAME_SOCKET_GONE = 0x35,
	FRAME_FORWARD_OPEN = 0x36,

	FRAME_FILE_WATCH = 0x40,
	FRAME_FILE_UNWATCH = 0x41,
	FRAME_FILE_WATCHED = 0x42,
	FRAME_FILE_EVENTS = 0x43,

	FRAME_LOCK = 0x50,
	FRAME_LOCK_ANSWER = 0x51,
};

enum {
	ATTACH_SIZE = 20,       /* bytes of payload */
	FIRST_CONTAINER = 1,    /* the number of that which the VM was made for */
	EXIT_OUT_OF_MEMORY = 1, /* in the second byte of EXIT */
};

/*
 * In the second byte of ATTACH. All but the first two have no session. ROLE_SIGNAL: one signal for the workload. ROLE_UPDATE: other limits for the
 * VM, ROLE_USAGE: what the guest uses, ROLE_END: the answer comes when nothing is left of a further container.
 */
enum client_role {
	ROLE_MAIN = 0,
	ROLE_EXEC = 1,
	ROLE_SIGNAL = 2,
	ROLE_UPDATE = 3,
	ROLE_USAGE = 4,
	ROLE_END = 5,
};

/* Where a forwarded connection goes to: of FORWARD_OPEN, which has nothing else. */
enum {
	FORWARD_IPV4 = 4,
	FORWARD_IPV6 = 6,
	FORWARD_PORT = 2,    /* bytes before it, after the family and a zero */
	FORWARD_ADDRESS = 4, /* of IPv4 the first 4 bytes; the rest is zero */
	FORWARD_SIZE = 20,
};

enum frame_channel { CHANNEL_STDIN = 0, CHANNEL_STDOUT = 1, CHANNEL_STDERR = 2 };

enum process_record {
	RECORD_ARG = 1,
	RECORD_ENV = 2,
	RECORD_CWD = 3,
	RECORD_USER = 4,
	RECORD_GROUPS = 5,
	RECORD_TERMINAL = 6,
	RECORD_STDIN = 7,
	RECORD_CAPABILITIES = 8,
	RECORD_NO_NEW_PRIVILEGES = 9,
	RECORD_RLIMIT = 10,
	RECORD_OOM_SCORE_ADJ = 11,
	RECORD_INIT = 12,
	RECORD_SET_HOME = 13,
	RECORD_UMASK = 14,
	RECORD_IGNORED_SIGNALS = 15,
	RECORD_TERMINAL_DEVICE = 16,
	RECORD_CONTAINER = 17,
};

enum machine_record {
	RECORD_HOSTNAME = 100,
	RECORD_DOMAINNAME = 101,
	RECORD_CLOCK = 102,
	RECORD_SYSCTL = 105,
	RECORD_NIC = 106,
	RECORD_ADDRESS = 107,
	RECORD_ROUTE = 108,
	RECORD_ONLINE_CPUS = 112,
	RECORD_MODULES = 113,
	RECORD_NIC_GONE = 114,
	RECORD_ADDRESS_GONE = 115,
	RECORD_ROUTE_GONE = 116,
	RECORD_SHARED_NETWORK = 118,
	RECORD_PROCESSORS = 123,
	RECORD_ENTROPY = 129,
};

enum container_record {
	RECORD_ROOT = 103,
	RECORD_MOUNT = 104,
	RECORD_CGROUPS = 110,
	RECORD_PIDS_LIMIT = 111,
	RECORD_SOCKET = 120,
	RECORD_DEVICE = 126,
	RECORD_MASKED_PATH = 127,
	RECORD_READ_ONLY_PATH = 128,
	RECORD_ROOT_SLOT = 130,
	RECORD_MEMORY_LIMIT = 131,
	RECORD_CPU_LIMIT = 132,
	RECORD_CPU_WEIGHT = 133,
	RECORD_PID_NAMESPACE = 134,
	RECORD_IPC_NAMESPACE = 135,
	RECORD_HOST_NAME = 136,
};

struct frame {
	uint32_t length; /* bytes of payload */
	uint8_t type;    /* enum frame_type, or an unknown one */
	uint32_t stream;
	const uint8_t *payload;
};

struct record {
	uint16_t tag;
	uint32_t length; /* bytes of value */
	const uint8_t *value;
};

static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | (uint16_t)(p[1] << 8));
}

static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)v);
	put_u16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)v);
	put_u32(p + 4, (uint32_t)(v >> 32));
}

/* Write the header of a frame into FRAME_HEADER bytes at p. */
void frame_header(uint8_t *p, uint8_t type, uint32_t stream, uint32_t length);

/*
 * Take the first frame out of size bytes at p. Returns the bytes it takes (header and payload), 0 when
 * more bytes are needed, -EPROTO when its length is out of bounds. The payload points into p.
 */
long frame_parse(const uint8_t *p, size_t size, struct frame *frame);

/*
 * Take the first record out of size bytes at p. Returns the bytes it takes, 0 at the end (size is 0),
 * -EPROTO when it is cut short.
 */
long record_parse(const uint8_t *p, size_t size, struct record *record);

/* Write the header of a record into RECORD_HEADER bytes at p. */
void record_header(uint8_t *p, uint16_t tag, uint32_t length);

#endif
