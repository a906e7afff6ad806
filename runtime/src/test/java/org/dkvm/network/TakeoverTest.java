// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TakeoverTest {
    @Test
    void eachDeviceIsTakenOver() {
        Takeover takeover = Takeover.of(List.of(device("eth0", 1500), device("eth1", 9000)), 5901);
        assertThat(takeover.requests())
                .containsExactly(
                        new NetworkRequest.Take(takeover.taps().get(0), 5901),
                        new NetworkRequest.Take(takeover.taps().get(1), 5901));
    }

    @Test
    void reservedPortsAreWhatTheMaskMatches() {
        for (int port = 0; port <= 0xFFFF; port++) {
            boolean reserved = port >= Takeover.FIRST_RESERVED_PORT && port <= Takeover.LAST_RESERVED_PORT;
            assertThat((port & 0xfc00) == 0xe800).isEqualTo(reserved);
        }
    }

    @Test
    void tapsTakeNamesThatNobodyHas() {
        Takeover takeover = Takeover.of(List.of(device("tap0", 1500), device("tap2", 1500)), 0);
        assertThat(takeover.taps()).extracting(Takeover.Tap::name).containsExactly("tap1", "tap3");
    }

    @Test
    void nameThatABatchFileWouldMisreadIsRefused() {
        for (String name : List.of("", "..", "a b", "a\nb", "a/b", "a#b", "a\"b", "sixteen-letters-")) {
            assertThatThrownBy(() -> device(name, 1500)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static NetworkDevice device(String name, int mtu) {
        return new NetworkDevice(name, 2, MacAddress.parse("02:42:ac:11:00:02"), mtu, true, List.of(), List.of());
    }
}
