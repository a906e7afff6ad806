/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/orders/hello.h"

#include "common/channel.h"
#include "common/clock.h"
#include "guest/setup/scout.h"

#include <string.h>
#include <sys/utsname.h>

enum { RELEASE_MAX = 128 };

void hello_say(void)
{
	uint8_t payload[16 + RELEASE_MAX] = {0};
	struct utsname name = {0};

	uname(&name);
	size_t size = strnlen(name.release, RELEASE_MAX);
	put_u32(payload, FRAME_MAGIC);
	put_u16(payload + 4, PROTOCOL_VERSION);
	put_u64(payload + 8, boot_nanos());
	memcpy(payload + 16, name.release, size);
	channel_send(FRAME_HELLO, 0, payload, (uint32_t)(16 + size));
	channel_flush();
	scout_send();
}
