/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAPABILITIES = 64 }; /* as many as the sets have bits */

struct sets {
	uint64_t effective, permitted, inheritable;
};

static int get_sets(struct sets *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int set_sets(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
		{(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* A decimal number below 2^32 - 1, which is no uid, and what ends it. */
static bool parse_id(uint32_t *id, const char **text)
{
	char *end;
	unsigned long value = strtoul(*text, &end, 10);

	if (end == *text || *end != ':' || **text == '-' || value >= UINT32_MAX)
		return false;
	*id = (uint32_t)value;
	*text = end + 1;
	return true;
}

bool rights_parse(struct rights *rights, const char *text)
{
	char *end;

	if (!parse_id(&rights->uid, &text) || !parse_id(&rights->gid, &text))
		return false;
	rights->capabilities = strtoull(text, &end, 16);
	return end != text && *end == '\0';
}

static int bound(uint64_t kept)
{
	for (int i = 0; i < CAPABILITIES; i++) {
		if ((kept & UINT64_C(1) << i) || prctl(PR_CAPBSET_READ, i, 0, 0, 0) <= 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* For a user other than root a program keeps through execve(2) what is ambient. */
static int raise_ambient(uint64_t capabilities)
{
	for (int i = 0; i < CAPABILITIES; i++)
		if ((capabilities & UINT64_C(1) << i) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)i, 0, 0) < 0)
			return -errno;
	return 0;
}

int rights_use_all(void)
{
	struct sets sets;
	int r = get_sets(&sets);

	return r < 0 ? r : set_sets(sets.permitted, sets.permitted, sets.inheritable);
}

int rights_take(const struct rights *rights)
{
	uint64_t inherited = rights->uid == 0 ? 0 : rights->capabilities;
	int r = rights_use_all();

	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = bound(rights->capabilities);
	if (r < 0)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(rights->gid, rights->gid, rights->gid) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(rights->uid, rights->uid, rights->uid) < 0)
		return -errno;
	r = set_sets(rights->capabilities, rights->capabilities, inherited);
	return r < 0 ? r : raise_ambient(inherited);
}

int rights_keep(uint64_t kept, uint64_t effective)
{
	struct sets sets;
	int r = get_sets(&sets);

	if (r == 0)
		r = bound(kept);
	if (r < 0)
		return r;
	uint64_t permitted = sets.permitted & kept;

	return set_sets(permitted & effective, permitted, 0);
}
