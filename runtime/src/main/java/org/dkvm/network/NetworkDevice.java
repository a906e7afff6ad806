// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.util.List;

/**
 * A network device that the engine put into the sandbox.
 *
 * @param name as in the sandbox, eth0
 * @param index the kernel's number for it
 * @param mac its Ethernet address
 * @param mtu in bytes
 * @param arp whether it finds its neighbours by asking, as a VM's card does
 * @param addresses IPv4 and IPv6, without the link-local one that every kernel makes itself
 * @param routes through this device, without those that come with an address
 */
public record NetworkDevice(
        String name,
        int index,
        MacAddress mac,
        int mtu,
        boolean arp,
        List<DeviceAddress> addresses,
        List<DeviceRoute> routes) {
    /** The longest name of a device in bytes: IFNAMSIZ - 1 of netdevice(7). */
    static final int MAX_NAME = 15;

    public NetworkDevice {
        if (!isName(name)) {
            throw new IllegalArgumentException("network device \"" + name + "\" has a name no kernel takes");
        }
        addresses = List.copyOf(addresses);
        routes = List.copyOf(routes);
    }

    /** Whether a kernel takes that name and a batch file holds it as one word. */
    static boolean isName(String name) {
        boolean valid = !name.isEmpty() && name.length() <= MAX_NAME && !".".equals(name) && !"..".equals(name);
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            valid &= c > ' ' && c < 0x7F && c != '/' && c != '"' && c != '\'' && c != '\\' && c != '#';
        }
        return valid;
    }
}
