// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A port at which the guest listens.
 *
 * @param udp by UDP, else by TCP
 * @param loopback at 127.0.0.1 only, else at every address
 * @param port 1 to 65535
 */
public record GuestPort(boolean udp, boolean loopback, int port) {
    private static final int BYTES = 4;
    private static final int UDP = 17;

    /** The ports in a LISTENING (protocol/PROTOCOL.md), whose form has been checked. */
    public static Set<GuestPort> list(ByteBuffer payload) {
        Set<GuestPort> ports = new LinkedHashSet<>();
        for (int at = 0; at + BYTES <= payload.limit(); at += BYTES) {
            ports.add(new GuestPort(
                    payload.get(at) == UDP, payload.get(at + 1) == 1, Short.toUnsignedInt(payload.getShort(at + 2))));
        }
        return ports;
    }

    /** How it is opened in the namespace, in the words of QEMU's {@code hostfwd_add}. */
    public String forward() {
        return outside() + "-" + (loopback ? "127.0.0.1" : SharedNetwork.GUEST_TEXT) + ":" + port;
    }

    /** What {@code hostfwd_remove} calls it. */
    public String outside() {
        return (udp ? "udp:" : "tcp:") + (loopback ? "127.0.0.1" : "0.0.0.0") + ":" + port;
    }

    /** As Docker writes ports. */
    @Override
    public String toString() {
        return port + (udp ? "/udp" : "/tcp");
    }
}
