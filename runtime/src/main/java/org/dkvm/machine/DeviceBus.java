// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import org.dkvm.core.machine.Board;

/** Where a board's virtio devices are plugged in: named as on no bus ({@code virtio-net}) they get the name and place that they have on this one. */
final class DeviceBus {
    /** Buses of a microvm in the order in which its kernel looks. Bus n interrupts by line 5 + n, and 8 is the clock's. */
    private static final int[] MMIO_BUSES = {7, 6, 5, 4, 2, 1, 0};

    /** All of them: the first device, random numbers, is in nobody's way. */
    private static final int[] ALL_MMIO_BUSES = {3, 7, 6, 5, 4, 2, 1, 0};

    private final Board board;
    private final int[] buses;
    private int taken;

    /**
     * A bus with nothing on it.
     *
     * @param devices how many will be plugged in
     */
    DeviceBus(Board board, int devices) {
        this.board = board;
        buses = devices < ALL_MMIO_BUSES.length ? MMIO_BUSES : ALL_MMIO_BUSES;
    }

    /** The next device, for {@code -device}; there is room for it ({@link Board#checkRoom}). */
    String device(String name) {
        return switch (board) {
            case Q35 -> name + "-pci";
            case MICROVM -> name + "-device,bus=virtio-mmio-bus." + buses[taken++];
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
