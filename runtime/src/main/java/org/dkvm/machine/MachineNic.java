// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

/**
 * A network card of the VM.
 *
 * @param tap the sandbox's device behind it; empty where QEMU itself is its network
 * @param mac its address, {@code 02:42:ac:11:00:02}
 * @param mtu in bytes, told to the guest
 * @param vhost whether the host's kernel carries its packets, by /dev/vhost-net
 * @param user what QEMU's network is like, in the words of {@code -netdev user}; empty with a tap
 */
public record MachineNic(String tap, String mac, int mtu, boolean vhost, String user) {
    public MachineNic {
        if (tap.isEmpty() == user.isEmpty()) {
            throw new IllegalArgumentException("a network card has a tap or QEMU's network behind it, and not both");
        }
    }

    /** A card with a tap behind it. */
    public MachineNic(String tap, String mac, int mtu, boolean vhost) {
        this(tap, mac, mtu, vhost, "");
    }

    /** A card with QEMU's own network behind it. */
    public static MachineNic inQemu(String user, String mac, int mtu) {
        return new MachineNic("", mac, mtu, false, user);
    }
}
