// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class MacAddressTest {
    @Test
    void textAndBytesAgree() {
        MacAddress mac = MacAddress.parse("02:42:AC:11:00:fe");
        assertThat(mac).hasToString("02:42:ac:11:00:fe");
        assertThat(mac.toBytes()).containsExactly(0x02, 0x42, 0xac, 0x11, 0x00, 0xfe);
        assertThat(mac.eui64()).containsExactly(0x00, 0x42, 0xac, 0xff, 0xfe, 0x11, 0x00, 0xfe);
    }

    @Test
    void whatIsNoMacAddressIsRefused() {
        for (String text :
                List.of("", "02:42:ac:11:00", "02:42:ac:11:00:0g", "02-42-ac-11-00-02", "024:2:ac:11:00:02")) {
            assertThatThrownBy(() -> MacAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
