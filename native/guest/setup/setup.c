/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup/setup.h"

#include "guest/kernel/cgroups.h"
#include "common/clock.h"
#include "guest/setup/devices.h"
#include "guest/network/dns.h"
#include "guest/early.h"
#include "guest/setup/mounts.h"
#include "guest/setup/podfs.h"
#include "guest/network/network.h"
#include "guest/setup/ownfiles.h"
#include "guest/setup/root.h"
#include "guest/setup/scout.h"
#include "guest/kernel/processors.h"
#include "guest/kernel/system.h"

#include <stdio.h>

static int set_up_mounts(const struct container *container, struct failure *error)
{
	int r = mounts_standard(container, error);

	if (r == 0)
		r = cgroups_mount(container, error);
	if (r == 0)
		r = podfs_make(container, error);
	if (r == 0)
		r = mounts_apply(container, error);
	if (r < 0)
		return r;
	/* a disk that is mounted is found by the name that the kernel gave it, which a device may take */
	devices_of_modules();
	r = devices_make(container, error);
	if (r < 0)
		return r;
	ownfiles_mount();
	return container->read_only_root ? root_make_read_only(error) : 0;
}

static int set_up_network(const struct machine *machine, struct setup_steps *steps, struct failure *error)
{
	struct record card;
	size_t at = 0;

	if (machine_next(machine, RECORD_NIC, &at, &card))
		scout_wait();
	int r = network_name_links(machine, error);

	if (r < 0)
		return r;
	/* settings of an interface need its name, and those of IPv6 come before its addresses */
	steps->step = STEP_SYSCTLS;
	r = system_apply_sysctls(machine, error);
	if (r < 0)
		return r;
	steps->step = STEP_NETWORK;
	r = network_configure(machine, error);
	if (r == 0)
		r = dns_open(machine->shared_network, error);
	return r;
}

/* The container's root first: what names the network's servers lies in it. */
static int set_up(const struct machine *machine, const struct container *container, struct setup_steps *steps,
		  struct failure *error)
{
	int r;

	fail(error, 0, "the machine can not be set up");
	steps->step = STEP_ROOT;
	if ((r = root_mount(error)) < 0)
		return r;
	steps->done[STEP_ROOT] = boot_nanos();
	steps->step = STEP_MOUNTS;
	if ((r = set_up_mounts(container, error)) < 0)
		return r;
	steps->done[STEP_MOUNTS] = boot_nanos();
	steps->step = STEP_NETWORK;
	if ((r = set_up_network(machine, steps, error)) < 0)
		return r;
	steps->done[STEP_NETWORK] = boot_nanos();
	steps->step = STEP_READY;
	return system_set_names(machine, error);
}

/* A list that the initramfs lacks is of modules that the kernel has built in, or that it does not have at all. */
static void load_modules(const struct machine *machine)
{
	struct record record;
	struct modules_record modules;
	char list[64];
	size_t at = 0;

	while (machine_next(machine, RECORD_MODULES, &at, &record)) {
		if (modules_parse(&record, &modules) < 0)
			continue;
		snprintf(list, sizeof list, "modules-%s.list", modules.name);
		early_load_modules(list);
	}
}

int setup_vm(const struct machine *machine, const struct container *container, uint64_t received,
	     struct setup_steps *steps, struct failure *error)
{
	int r = system_mix_in(machine->entropy, error);

	if (r < 0)
		return r;
	/* while there is one processor: see docs/adr/0007-emulated-cpus-after-the-boot.md */
	load_modules(machine);
	pid_t online = machine->online_cpus ? processors_start(machine->processors) : 0;
	system_set_clock(machine->clock, received);
	r = set_up(machine, container, steps, error);

	if (online > 0)
		processors_wait(online);
	steps->done[STEP_READY] = boot_nanos();
	return r;
}
