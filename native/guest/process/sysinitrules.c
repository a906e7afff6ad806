/* SPDX-License-Identifier: Apache-2.0 */
/* What of sysinit.h is decided by a text or a number alone. */
#include "guest/process/sysinit.h"

#include <linux/reboot.h>
#include <stdlib.h>
#include <string.h>

enum { BOOT_CAPABILITY = 22 }; /* CAP_SYS_BOOT */

bool sysinit_is_machine(const char *program, const char *container)
{
	/* what Podman gives to every container, and what images for engines say of themselves: in a VM it is not true */
	static const char *const engines[] = {"", "docker", "oci", "podman"};
	const char *slash = strrchr(program, '/');
	bool said = container != NULL;

	for (size_t i = 0; said && i < sizeof engines / sizeof engines[0]; i++)
		said = strcmp(container, engines[i]) != 0;
	return slash && strcmp(slash, "/systemd") == 0 && !said;
}

bool sysinit_is_end(uint32_t magic, uint32_t magic2, uint32_t command)
{
	bool known = magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
		     magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C;

	switch (command) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
	case LINUX_REBOOT_CMD_KEXEC: /* nobody would be there to take the channel */
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		return magic == LINUX_REBOOT_MAGIC1 && known;
	default:
		return false;
	}
}

bool sysinit_may_reboot(const char *status)
{
	const char *capabilities = strstr(status, "\nCapEff:"), *pids = strstr(status, "\nNSpid:");

	if (!capabilities || !pids || !(strtoull(capabilities + 8, NULL, 16) >> BOOT_CAPABILITY & 1))
		return false;
	/* one number: it is in no PID namespace below, whose own end it would ask for */
	pids += 7 + strspn(pids + 7, " \t");
	pids += strspn(pids, "0123456789");
	return *pids == '\n';
}
