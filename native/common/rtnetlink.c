/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rtnetlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

int rtnetlink_open(int flags, uint32_t groups)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	int error = errno;

	close(fd);
	return -error;
}

const struct rtattr *rtnetlink_attribute(const uint8_t *at, size_t size, unsigned short type)
{
	while (size >= sizeof(struct rtattr)) {
		const struct rtattr *found = (const struct rtattr *)(const void *)at;

		if (found->rta_len < sizeof *found || found->rta_len > size)
			return NULL;
		if ((found->rta_type & NLA_TYPE_MASK) == type)
			return found;
		size_t step = RTA_ALIGN(found->rta_len);

		if (step > size)
			return NULL;
		at += step;
		size -= step;
	}
	return NULL;
}
