// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetworkReaderTest {
    private static final int ETHER = 1;
    private static final int LOOPBACK = 772;
    private static final int TUNNEL = 768;

    @TempDir
    private Path directory = Path.of("");

    @BeforeEach
    void tables() throws Exception {
        Files.createDirectories(directory.resolve("proc/net"));
        Files.createDirectories(directory.resolve("sys/class/net"));
        Files.writeString(directory.resolve("sys/class/net/bonding_masters"), "\n");
    }

    @Test
    void devicesThatAreUpAreReadInTheKernelsOrder() throws Exception {
        device("lo", LOOPBACK, "0x9", 1, "00:00:00:00:00:00");
        device("tunl0", TUNNEL, "0x80", 2, "00:00:00:00");
        device("gretap0", ETHER, "0x1002", 3, "00:00:00:00:00:00");
        device("nobody9", ETHER, "0x1003", 12, "02:42:ac:12:00:02");
        device("nobody8", ETHER, "0x1003", 9, "02:42:ac:11:00:02");
        List<NetworkDevice> devices = read();
        assertThat(devices).extracting(NetworkDevice::name).containsExactly("nobody8", "nobody9");
        assertThat(devices.get(0).mac()).hasToString("02:42:ac:11:00:02");
        assertThat(devices.get(0).mtu()).isEqualTo(1450);
    }

    @Test
    void ipv6IsReadWithoutWhatEveryKernelMakesItself() throws Exception {
        device("nobody8", ETHER, "0x1003", 9, "02:42:ac:11:00:02");
        table("if_inet6", """
                fd003000000000000000000000000002 09 40 00 80  nobody8
                fe800000000000000042acfffe110002 09 40 20 80  nobody8
                fe800000000000000000000000000001 09 40 20 80  nobody8
                """);
        table("ipv6_route", """
                fd003000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001  nobody8
                00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd003000000000000000000000000001 00000400 00000001 00000000 00000003  nobody8
                """);
        NetworkDevice device = read().get(0);
        assertThat(device.addresses())
                .extracting(DeviceAddress::address)
                .containsExactly(InetAddress.getByName("fd00:3000::2"), InetAddress.getByName("fe80::1"));
        assertThat(device.routes())
                .containsExactly(new DeviceRoute(
                        InetAddress.getByName("::"), 0, Optional.of(InetAddress.getByName("fd00:3000::1")), 1024));
    }

    @Test
    void noNetworkIsNoDevice() throws Exception {
        device("lo", LOOPBACK, "0x9", 1, "00:00:00:00:00:00");
        assertThat(read()).isEmpty();
    }

    @Test
    void whatCanNotBeReadIsSaid() throws Exception {
        device("nobody8", ETHER, "0x1003", 9, "nonsense");
        assertThatThrownBy(this::read)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("can not read the sandbox's network: MAC address \"nonsense\"");
    }

    @Test
    void interfacesThatAVmCanNotHaveAreRefused() throws Exception {
        device("nobody8", ETHER, "0x1003", 9, "02:42:ac:11:00:02");
        device("nobody9", ETHER, "0x1003", 12, "02:42:ac:11:00:02");
        assertThatThrownBy(this::read)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("\"nobody8\" and \"nobody9\" have one MAC address, 02:42:ac:11:00:02");
        device("nobody9", ETHER, "0x1083", 12, "02:42:ac:11:00:03");
        assertThatThrownBy(this::read).isInstanceOf(DkvmException.class).hasMessageContaining("\"nobody9\" has no ARP");
        device("nobody9", ETHER, "0x1082", 12, "02:42:ac:11:00:03");
        assertThat(read()).extracting(NetworkDevice::name).containsExactly("nobody8");
    }

    @Test
    void thisNamespaceCanBeRead() throws Exception {
        // Any machine's: a bridge there has the address of one of its ports.
        assertThat(new NetworkReader(Path.of("/sys"), Path.of("/proc")).readAll())
                .extracting(NetworkDevice::name)
                .doesNotContain("lo");
    }

    @Test
    void interfacesWithoutIpv6AreNamed() throws Exception {
        device("nobody8", ETHER, "0x1003", 9, "02:42:ac:11:00:02");
        device("nobody9", ETHER, "0x1003", 12, "02:42:ac:12:00:02");
        assertThat(withoutIpv6()).isEmpty();
        disableIpv6("lo", "1");
        disableIpv6("nobody8", "0");
        disableIpv6("nobody9", "1");
        assertThat(withoutIpv6()).containsExactly("lo", "nobody9");
        disableIpv6("nobody8", "1");
        assertThat(withoutIpv6()).containsExactly("all", "default");
    }

    private List<String> withoutIpv6() throws DkvmException {
        return new NetworkReader(directory.resolve("sys"), directory.resolve("proc")).withoutIpv6(read());
    }

    @Test
    void onlyTapsThatAVmLeftAreFound() throws Exception {
        assertThat(new NetworkReader(directory.resolve("sys"), directory.resolve("proc")).left())
                .isEmpty();
        device("tap0", ETHER, "0x1003", 3, "02:42:ac:11:00:02");
        Files.writeString(directory.resolve("sys/class/net/tap0/ifalias"), "dkvm:eth0\n");
        device("tap1", ETHER, "0x1003", 4, "02:42:ac:11:00:03");
        Files.writeString(directory.resolve("sys/class/net/tap1/ifalias"), "somebody's\n");
        device("eth0", ETHER, "0x1003", 5, "02:42:ac:11:00:04");
        assertThat(new NetworkReader(directory.resolve("sys"), directory.resolve("proc")).left())
                .containsExactly(new Takeover.Left("tap0", "eth0"));
    }

    private void disableIpv6(String name, String value) throws Exception {
        Path directories = directory.resolve("proc/sys/net/ipv6/conf").resolve(name);
        Files.writeString(Files.createDirectories(directories).resolve("disable_ipv6"), value + "\n");
    }

    private List<NetworkDevice> read() throws DkvmException {
        List<NetworkDevice> devices = new NetworkReader(directory.resolve("sys"), directory.resolve("proc")).readAll();
        NetworkReader.check(devices);
        return devices;
    }

    private void device(String name, int type, String flags, int index, String mac) throws Exception {
        Path device = Files.createDirectories(directory.resolve("sys/class/net").resolve(name));
        Files.writeString(device.resolve("type"), type + "\n");
        Files.writeString(device.resolve("flags"), flags + "\n");
        Files.writeString(device.resolve("ifindex"), index + "\n");
        Files.writeString(device.resolve("address"), mac + "\n");
        Files.writeString(device.resolve("mtu"), "1450\n");
    }

    private void table(String name, String text) throws Exception {
        Files.writeString(directory.resolve("proc/net").resolve(name), text);
    }
}
