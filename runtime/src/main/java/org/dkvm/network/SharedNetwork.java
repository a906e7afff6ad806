// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The network between a VM and QEMU, where the sandbox's namespace is shared with others and nothing in it may be changed: QEMU opens sockets there for what the VM sends, and
 * listens where the VM does. Its addresses are set aside for a host's own use (RFC 7335), so that no network has them.
 *
 * @param ipv6 whether the namespace has IPv6, so that the VM gets it, too
 */
public record SharedNetwork(boolean ipv6) {
    /** The guest's, as text. */
    static final String GUEST_TEXT = "192.0.0.4";

    private static final byte[] GUEST = {(byte) 192, 0, 0, 4};
    private static final byte[] NAMESPACE = {(byte) 192, 0, 0, 2};
    private static final byte[] ANY = {0, 0, 0, 0};
    private static final int PREFIX = 29;
    private static final int MTU = 1500;
    private static final int INDEX = 2;
    private static final MacAddress MAC = new MacAddress(0x02_00_C0_00_00_04L);
    /** QEMU's own choice. */
    private static final byte[] IPV6_GUEST = {(byte) 0xFE, (byte) 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4};

    private static final byte[] IPV6_NAMESPACE = {(byte) 0xFE, (byte) 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    private static final int IPV6_PREFIX = 64;

    /** The VM's interface. */
    public NetworkDevice device() {
        List<DeviceAddress> addresses = new ArrayList<>();
        List<DeviceRoute> routes = new ArrayList<>();
        addresses.add(new DeviceAddress(address(GUEST), PREFIX, Optional.empty()));
        routes.add(new DeviceRoute(address(ANY), 0, Optional.of(address(NAMESPACE)), 0));
        if (ipv6) {
            addresses.add(new DeviceAddress(address(IPV6_GUEST), IPV6_PREFIX, Optional.empty()));
            routes.add(
                    new DeviceRoute(address(new byte[IPV6_GUEST.length]), 0, Optional.of(address(IPV6_NAMESPACE)), 0));
        }
        return new NetworkDevice("eth0", INDEX, MAC, MTU, true, addresses, routes);
    }

    /** It in the words of QEMU's {@code -netdev user}. See qemu-system-x86_64(1). */
    public String netdev() {
        // To name one of the two alone switches the other off.
        return "ipv4=on,net=192.0.0.0/29,host=192.0.0.2,dns=192.0.0.3,dhcpstart=" + GUEST_TEXT + ",ipv6="
                + (ipv6 ? "on" : "off");
    }

    /** The address by which the VM reaches 127.0.0.1 of the namespace. */
    public static byte[] namespaceLoopback() {
        return NAMESPACE.clone();
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of " + bytes.length + " bytes is an address", e);
        }
    }
}
