/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/network/takeover.h"

#include "common/files.h"
#include "sandbox/network/link.h"
#include "sandbox/network/redirect.h"

#include <errno.h>
#include <stdio.h>

/* Say what could not be done with which device. */
static int fail(struct takeover_fault *fault, const char *what, const char *name, int error, const char *advice)
{
	char reason[64];

	snprintf(fault->text, sizeof fault->text, "can not %s \"%s\": %s%s", what, name, error_text(-error, reason),
		 advice);
	return error;
}

/* Who the device is nobody tells but the kernel: the monitor, which asks, is what reads the guest. */
static int guard(const char *device, const char *tap_name, uint32_t tap, struct takeover_fault *fault)
{
	static struct identity identity;
	int r = link_identify(device, &identity);

	if (r < 0)
		return fail(fault, "read the addresses of", device, r, "");
	r = redirect_guard(tap, &identity);
	if (r == 0)
		return 0;
	return fail(fault, "hold the VM to its own addresses at", tap_name, r,
		    r == -ENOENT
			    ? "; the host's kernel has no cls_bpf: load that module, or allow forged addresses with "
			      "\"antispoof\": \"off\" in /etc/dkvm/dkvm.json"
			    : "");
}

static int join(const struct takeover_order *order, uint32_t tap, bool guarded, struct takeover_fault *fault)
{
	int r = link_start_tap(tap, order->device, order->mtu);

	if (r == 0)
		r = redirect_begin(tap);
	if (r < 0)
		return fail(fault, "use the tap", order->tap, r, "");
	/* before the first frame can go anywhere */
	r = guarded ? guard(order->device, order->tap, tap, fault) : 0;
	if (r < 0)
		return r;
	r = redirect_from_tap(tap, order->index);
	if (r == 0)
		r = redirect_to_tap(order->index, tap, order->own_port);
	return r < 0 ? fail(fault, "redirect what arrives at", order->device, r,
			    r == -ENOENT ? "; does the host have the modules sch_ingress, cls_u32 and act_mirred? "
					   "\"dkvm check\" looks"
					 : "")
		     : 0;
}

static int take(const struct takeover_order *order, const struct takeover_policy *policy, struct takeover_fault *fault)
{
	uint32_t tap, device = 0;
	int r = link_find(order->device, &device);

	/* another one may have its name by now */
	if (r == 0 && device != order->index)
		r = -ENODEV;
	if (r == 0)
		r = link_hear_all_groups(order->index);
	if (r < 0)
		return fail(fault, "take over", order->device, r, "");
	r = redirect_begin(order->index);
	if (r < 0)
		return fail(fault, "filter what arrives at", order->device, r,
			    r == -ENOENT ? "; does the host have the module sch_ingress? \"dkvm check\" looks" : "");
	r = link_make_tap(order->tap, policy->owner, &tap);
	if (r < 0) {
		redirect_end(order->index);
		return fail(fault, "make the tap", order->tap, r,
			    "; does /dev/net/tun open on the host? \"dkvm check\" looks");
	}
	r = join(order, tap, policy->guarded, fault);
	if (r < 0) {
		link_delete(tap);
		redirect_end(order->index);
	}
	return r;
}

static int remove_tap(const struct takeover_order *order, struct takeover_fault *fault)
{
	uint32_t tap;
	int r = link_find_tap(order->tap, &tap);

	if (r == 0)
		r = link_delete(tap);
	return r < 0 ? fail(fault, "remove the tap", order->tap, r, "") : 0;
}

/* Where it did not come to joining the tap with its device, or the device went, there is less to undo. */
static int release(const struct takeover_order *order, struct takeover_fault *fault)
{
	uint32_t device;
	int r = remove_tap(order, fault);

	if (r < 0)
		return r;
	r = link_find(order->device, &device);
	if (r == 0)
		r = redirect_end(device);
	return r < 0 && r != -ENODEV && r != -ENOENT && r != -EINVAL ? fail(fault, "give back", order->device, r, "")
								     : 0;
}

static int guard_again(const struct takeover_order *order, struct takeover_fault *fault)
{
	char device[IFNAMSIZ];
	uint32_t tap;
	int r = link_find_tap(order->tap, &tap);

	if (r == 0)
		r = link_find_behind(order->tap, device);
	return r < 0 ? fail(fault, "find the tap", order->tap, r, "") : guard(device, order->tap, tap, fault);
}

int takeover_do(const struct takeover_order *order, const struct takeover_policy *policy, struct takeover_fault *fault)
{
	switch (order->kind) {
	case ORDER_TAKE:
		return take(order, policy, fault);
	case ORDER_REMOVE:
		return remove_tap(order, fault);
	case ORDER_RELEASE:
		return release(order, fault);
	case ORDER_GUARD:
		return policy->guarded ? guard_again(order, fault) : 0;
	}
	return -EINVAL;
}

int takeover_check(struct takeover_fault *fault)
{
	enum { LOOPBACK = 1 }; /* its index in every namespace */
	const struct takeover_order order = {.tap = "dkvm0", .device = "lo", .index = LOOPBACK, .mtu = 1500};
	uint32_t tap;
	int r = link_make_tap(order.tap, 0, &tap);

	if (r < 0)
		return fail(fault, "make the tap", order.tap, r, "");
	r = redirect_begin(LOOPBACK);
	if (r == 0)
		r = join(&order, tap, true, fault);
	else
		fail(fault, "filter what arrives at", order.device, r, "");
	link_delete(tap);
	redirect_end(LOOPBACK);
	return r;
}
