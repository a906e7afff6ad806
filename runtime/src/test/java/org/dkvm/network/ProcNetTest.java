// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The tables as a 6.x kernel prints them. */
class ProcNetTest {
    private static final String ROUTE = """
            Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
            eth0	00000000	010011AC	0003	0	0	0	00000000	0	0	0
            eth0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
            *	0000A8C0	00000000	0201	0	0	20	0000FFFF	0	0	0
            eth1	0A01A8C0	0102A8C0	0007	0	0	100	FFFFFFFF	0	0	0
            """;
    private static final String IPV6_ROUTE = """
            fd003000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
            fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd003000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
            00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo
            fd003000000000000000000000000002 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001     eth0
            ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth0
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
            """;

    @Test
    void ipv4RoutesAreRead() throws Exception {
        assertThat(ProcNet.ipv4Routes(ROUTE))
                .containsExactly(
                        route("eth0", "0.0.0.0", 0, "172.17.0.1", 0),
                        route("eth0", "172.17.0.0", 16, "", 0),
                        route("eth1", "192.168.1.10", 32, "192.168.2.1", 100));
    }

    @Test
    void ipv6RoutesThatSomebodyMadeAreRead() throws Exception {
        assertThat(ProcNet.ipv6Routes(IPV6_ROUTE))
                .containsExactly(
                        route("eth0", "fd00:3000::", 64, "", 256), route("eth0", "::", 0, "fd00:3000::1", 1024));
    }

    @Test
    void ipv6AddressesAreRead() throws Exception {
        assertThat(ProcNet.ipv6Addresses("fd003000000000000000000000000002 02 40 00 80     eth0\n"))
                .containsExactly(new ProcNet.Address(
                        "eth0", new DeviceAddress(InetAddress.getByName("fd00:3000::2"), 64, Optional.empty())));
    }

    @Test
    void scopeIsWhatTheKernelWouldChoose() throws Exception {
        assertThat(route("e", "172.17.0.0", 16, "", 0).route().scope()).isEqualTo(253);
        assertThat(route("e", "0.0.0.0", 0, "172.17.0.1", 0).route().scope()).isZero();
        assertThat(route("e", "fd00::", 64, "", 0).route().scope()).isZero();
    }

    @Test
    void emptyTablesHaveNothing() {
        assertThat(ProcNet.ipv4Routes("")).isEmpty();
        assertThat(ProcNet.ipv6Routes("")).isEmpty();
        assertThat(ProcNet.ipv6Addresses("\n\n")).isEmpty();
    }

    @Test
    void whatIsNoTableIsRefused() {
        assertRefused(() -> ProcNet.ipv4Routes("header\neth0 0000"));
        assertRefused(() -> ProcNet.ipv4Routes("header\neth0 XX000000 010011AC 0003 0 0 0 00000000 0 0 0"));
        assertRefused(() -> ProcNet.ipv4Routes("header\neth0 0000 010011AC 0003 0 0 0 00000000 0 0 0"));
        assertRefused(() -> ProcNet.ipv6Addresses("fd00 02 40 00 80 eth0"));
        assertRefused(() -> ProcNet.ipv6Addresses("fd003000000000000000000000000002 02 ff 00 80 eth0"));
        assertRefused(() -> ProcNet.ipv6Addresses("x\n".repeat(ProcNet.MAX_LINES + 1)));
    }

    private static void assertRefused(Runnable parse) {
        assertThatThrownBy(parse::run).isInstanceOf(IllegalArgumentException.class);
    }

    private static ProcNet.Route route(String device, String to, int prefix, String gateway, long metric)
            throws Exception {
        Optional<InetAddress> via = gateway.isEmpty() ? Optional.empty() : Optional.of(InetAddress.getByName(gateway));
        return new ProcNet.Route(device, new DeviceRoute(InetAddress.getByName(to), prefix, via, metric));
    }
}
