// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.net.InetAddress;

/** Arithmetic of network prefixes. */
final class Prefixes {
    private Prefixes() {}

    static void check(InetAddress address, int prefixLength) {
        if (prefixLength < 0 || prefixLength > address.getAddress().length * Byte.SIZE) {
            throw new IllegalArgumentException(
                    "prefix length " + prefixLength + " does not fit address " + address.getHostAddress());
        }
    }

    /** Whether the address lies in that network. */
    static boolean contains(InetAddress network, int prefixLength, InetAddress address) {
        byte[] left = network.getAddress();
        byte[] right = address.getAddress();
        if (left.length != right.length) {
            return false;
        }
        for (int bit = 0; bit < prefixLength; bit += Byte.SIZE) {
            int mask = 0xFF00 >> Math.min(Byte.SIZE, prefixLength - bit) & 0xFF;
            if (((left[bit / Byte.SIZE] ^ right[bit / Byte.SIZE]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }
}
