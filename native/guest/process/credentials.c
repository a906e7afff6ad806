/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/process/credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAPS_MAX = 64 };

/* The capabilities that this kernel knows. */
static uint64_t known(void)
{
	uint64_t mask = 0;

	for (unsigned long cap = 0; cap < CAPS_MAX && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		mask |= UINT64_C(1) << cap;
	return mask;
}

static int drop_bounding(uint64_t keep)
{
	uint64_t drop = known() & ~keep;

	for (unsigned long cap = 0; cap < CAPS_MAX; cap++)
		if ((drop >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

static int set_groups(const struct process *process)
{
	gid_t list[PROCESS_MAX_GROUPS];
	size_t count = process->groups.size / 4;

	for (size_t i = 0; i < count; i++)
		list[i] = get_u32(process->groups.data + i * 4);
	return setgroups(count, list) < 0 ? -errno : 0;
}

int credentials_take_user(const struct process *process)
{
	int r = process->has_capabilities ? drop_bounding(process->capabilities[CAPS_BOUNDING]) : 0;

	if (r < 0)
		return r;
	if (process->has_capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	r = set_groups(process);
	if (r < 0)
		return r;
	if (setresgid(process->gid, process->gid, process->gid) < 0 ||
	    setresuid(process->uid, process->uid, process->uid) < 0)
		return -errno;
	return 0;
}

static int set_capabilities(const uint64_t *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	/* as runc: what is not permitted and inheritable can not be ambient, and is left out */
	uint64_t mask = known(), ambient = sets[CAPS_AMBIENT] & sets[CAPS_PERMITTED] & sets[CAPS_INHERITABLE] & mask;

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)((sets[CAPS_EFFECTIVE] & mask) >> 32 * i);
		data[i].permitted = (uint32_t)((sets[CAPS_PERMITTED] & mask) >> 32 * i);
		data[i].inheritable = (uint32_t)((sets[CAPS_INHERITABLE] & mask) >> 32 * i);
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return -errno;
	for (unsigned long cap = 0; cap < CAPS_MAX; cap++)
		if ((ambient >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

int credentials_finish(const struct process *process)
{
	int r = process->has_capabilities ? set_capabilities(process->capabilities) : 0;

	if (r < 0)
		return r;
	if (process->has_capabilities && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return -errno;
	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}
