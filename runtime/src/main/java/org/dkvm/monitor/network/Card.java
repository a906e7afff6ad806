// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import org.dkvm.machine.QemuCommand;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.Takeover;

/**
 * A network card of the running VM, and what is behind it.
 *
 * @param device the engine's device, as the guest was told of it
 * @param tap the tap between the two
 * @param number never used again
 * @param port the spare port that it is plugged into; {@link #FIXED} for one that the VM was started with
 */
record Card(NetworkDevice device, String tap, int number, int port) {
    /** No port: the card stays, without a wire, when its network goes. */
    static final int FIXED = -1;

    /** QEMU's name for the sandbox's end of it. */
    String netdev() {
        return QemuCommand.netdev(number);
    }

    /** QEMU's name for the card. */
    String id() {
        return "nic" + number;
    }

    /** Its device and its tap. */
    Takeover.Tap joint() {
        return new Takeover.Tap(device, tap);
    }

    /** What is left of it when it goes. */
    Takeover.Left left() {
        return new Takeover.Left(tap, device.name());
    }

    /** The same card with its device as the guest is told now. */
    Card of(NetworkDevice now) {
        return new Card(now, tap, number, port);
    }

    /** It for people: {@code "eth1" (02:42:ac:12:00:02)}. */
    String described() {
        return "\"" + device.name() + "\" (" + device.mac() + ")";
    }
}
