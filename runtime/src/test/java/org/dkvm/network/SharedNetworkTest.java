// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedNetworkTest {
    @Test
    void theGuestsGatewayIsQemu() throws Exception {
        NetworkDevice device = new SharedNetwork(false).device();
        assertThat(device.addresses()).extracting(DeviceAddress::address).containsExactly(address("192.0.0.4"));
        assertThat(device.routes())
                .extracting(DeviceRoute::gateway)
                .containsExactly(java.util.Optional.of(address("192.0.0.2")));
        assertThat(SharedNetwork.namespaceLoopback())
                .isEqualTo(address("192.0.0.2").getAddress());
    }

    @Test
    void qemuIsToldTheSameAddresses() {
        assertThat(new SharedNetwork(true).netdev())
                .isEqualTo("ipv4=on,net=192.0.0.0/29,host=192.0.0.2,dns=192.0.0.3,dhcpstart=192.0.0.4,ipv6=on");
    }

    @Test
    void ipv6IsForANamespaceThatHasIt(@TempDir Path proc) throws Exception {
        NetworkReader reader = new NetworkReader(proc, proc);
        assertThat(reader.shared().ipv6()).isFalse();
        Path table = Files.createDirectories(proc.resolve("net")).resolve("if_inet6");
        Files.writeString(table, """
                00000000000000000000000000000001 01 80 10 80       lo
                fe80000000000000004200fffe110002 02 40 20 80     eth0
                """);
        assertThat(reader.shared().ipv6()).isFalse();
        Files.writeString(table, "fd000000000000000000000000000002 02 40 00 80     eth0\n");
        SharedNetwork network = reader.shared();
        assertThat(network.ipv6()).isTrue();
        assertThat(network.device().addresses())
                .extracting(DeviceAddress::address)
                .containsExactly(address("192.0.0.4"), address("fec0::4"));
    }

    private static InetAddress address(String text) throws Exception {
        return InetAddress.getByName(text);
    }
}
