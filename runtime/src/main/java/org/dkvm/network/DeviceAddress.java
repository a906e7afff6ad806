// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.net.InetAddress;
import java.util.Optional;

/** An address of a network device with its prefix length in bits, and an IPv4 broadcast address where it has one. */
public record DeviceAddress(InetAddress address, int prefixLength, Optional<InetAddress> broadcast) {
    public DeviceAddress {
        Prefixes.check(address, prefixLength);
    }
}
