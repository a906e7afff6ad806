// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TakeoverTest {
    @Test
    void tapsAreMadeWithoutAddresses() {
        assertThat(Takeover.of(List.of(device("eth0", 1500), device("eth1", 9000)), 0)
                        .ipBatch())
                .isEqualTo("""
                        link set dev eth0 allmulticast on
                        tuntap add dev tap0 mode tap
                        link set dev tap0 addrgenmode none
                        link set dev tap0 alias dkvm:eth0
                        link set dev tap0 mtu 1500 up
                        link set dev eth1 allmulticast on
                        tuntap add dev tap1 mode tap
                        link set dev tap1 addrgenmode none
                        link set dev tap1 alias dkvm:eth1
                        link set dev tap1 mtu 9000 up
                        """);
    }

    @Test
    void everythingIsRedirectedButWhatTheSandboxItselfNeeds() {
        assertThat(Takeover.of(List.of(device("eth0", 1500)), 0).tcBatch()).isEqualTo("""
                        qdisc add dev eth0 ingress
                        qdisc add dev tap0 ingress
                        filter add dev eth0 ingress pref 1 protocol arp u32 match u16 2 0xffff at 6 action mirred egress mirror dev tap0
                        filter add dev eth0 ingress pref 2 protocol ip u32 match ip protocol 17 0xff match u8 0x45 0xff at 0 match u16 0 0x1fff at 6 match ip sport 53 0xffff match ip dport 0xe800 0xfc00 action mirred egress mirror dev tap0
                        filter add dev eth0 ingress pref 2 protocol ip u32 match ip protocol 17 0xff match u8 0x45 0xff at 0 match u16 0 0x1fff at 6 match ip dport 0xe800 0xfc00 flowid 1:1
                        filter add dev eth0 ingress pref 2 protocol ip u32 match ip protocol 6 0xff match u8 0x45 0xff at 0 match u16 0 0x1fff at 6 match ip dport 0xe800 0xfc00 flowid 1:1
                        filter add dev eth0 ingress pref 3 protocol ipv6 u32 match u8 58 0xff at 6 match u8 136 0xff at 40 action mirred egress mirror dev tap0
                        filter add dev eth0 ingress pref 3 protocol ipv6 u32 match u8 17 0xff at 6 match u16 0xe800 0xfc00 at 42 flowid 1:1
                        filter add dev eth0 ingress pref 3 protocol ipv6 u32 match u8 6 0xff at 6 match u16 0xe800 0xfc00 at 42 flowid 1:1
                        filter add dev eth0 ingress pref 10 protocol all u32 match u8 0 0 action mirred egress redirect dev tap0
                        filter add dev tap0 ingress pref 10 protocol all u32 match u8 0 0 action mirred egress redirect dev eth0
                        """);
    }

    @Test
    void aPortOfTheSandboxsOwnIsFoundAndReached() {
        List<String> without =
                Takeover.of(List.of(device("eth0", 1500)), 0).tcBatch().lines().toList();
        List<String> more = new ArrayList<>(Takeover.of(List.of(device("eth0", 1500)), 5901)
                .tcBatch()
                .lines()
                .toList());
        more.removeAll(without);
        assertThat(more)
                .containsExactly(
                        "filter add dev eth0 ingress pref 1 protocol arp u32 match u8 0 0 action mirred egress mirror dev tap0",
                        "filter add dev eth0 ingress pref 2 protocol ip u32 match ip protocol 6 0xff match u8 0x45 0xff at 0 match u16 0 0x1fff at 6 match ip dport 5901 0xffff flowid 1:1",
                        "filter add dev eth0 ingress pref 3 protocol ipv6 u32 match u8 58 0xff at 6 match u8 135 0xff at 40 action mirred egress mirror dev tap0",
                        "filter add dev eth0 ingress pref 3 protocol ipv6 u32 match u8 6 0xff at 6 match u16 5901 0xffff at 42 flowid 1:1");
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
