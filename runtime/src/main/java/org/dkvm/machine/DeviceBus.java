// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import org.dkvm.core.Board;

/** Where a board's virtio devices are plugged in: named as on no bus ({@code virtio-net}) they get the name and place that they have on this one. */
final class DeviceBus {
    /** Bus n of a microvm interrupts by line 5 + n: the clock's, 8, is taken last. */
    private static final int[] MMIO_BUSES = {0, 1, 2, 4, 5, 6, 7, 3};

    private final Board board;
    private int taken;

    DeviceBus(Board board) {
        this.board = board;
    }

    /** The next device, for {@code -device}; there is room for it ({@link Board#checkRoom}). */
    String device(String name) {
        return switch (board) {
            case Q35 -> name + "-pci";
            case MICROVM -> name + "-device,bus=virtio-mmio-bus." + MMIO_BUSES[taken++];
        };
    }

    /** What a network card on PCI has to say of its boot ROM, which the sandbox does not have. */
    String withoutRom() {
        return switch (board) {
            case Q35 -> ",romfile=";
            case MICROVM -> "";
        };
    }
}
