// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.net.InetAddress;
import java.util.Optional;

/**
 * A route through a network device.
 *
 * @param destination the network's address
 * @param prefixLength of the destination, in bits
 * @param gateway the next hop; none: the destination is on the link
 * @param metric the smaller one wins
 */
public record DeviceRoute(InetAddress destination, int prefixLength, Optional<InetAddress> gateway, long metric) {
    private static final int SCOPE_UNIVERSE = 0;
    private static final int SCOPE_LINK = 253;

    public DeviceRoute {
        Prefixes.check(destination, prefixLength);
    }

    /** RT_SCOPE_* as the kernel chooses it itself. See rtnetlink(7). */
    public int scope() {
        boolean onLink = gateway.isEmpty() && destination instanceof java.net.Inet4Address;
        return onLink ? SCOPE_LINK : SCOPE_UNIVERSE;
    }
}
