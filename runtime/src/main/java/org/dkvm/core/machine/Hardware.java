// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;

/**
 * What a VM is made of.
 *
 * @param board the board
 * @param firmware the firmware on it
 */
public record Hardware(Board board, Firmware firmware) {
    /** What a container has that asks for nothing. */
    public static final Hardware ORDINARY = new Hardware(Board.Q35, Firmware.SEABIOS);

    /** OVMF and the kernel's stub have a distribution's kernel there twice, packed and unpacked: it starts with 160 MiB, and not with 144. */
    public static final MemorySize LEAST_MEMORY_FOR_EFI = MemorySize.ofMib(256);

    /** The parts together; fails when they do not go together. */
    public static Hardware of(Board board, Firmware firmware) throws DkvmException {
        if (firmware == Firmware.EFI && board == Board.MICROVM) {
            throw new DkvmException(
                    "the board \"" + board.label() + "\" has no EFI",
                    "give DKVM_BIOS=" + Firmware.EFI.label() + " with DKVM_MACHINE=" + Board.Q35.label());
        }
        return new Hardware(board, firmware);
    }

    /** Whether it is {@link #ORDINARY}; a start is spared what the JVM makes for a record's own comparison. */
    public boolean isOrdinary() {
        return board == ORDINARY.board && firmware == ORDINARY.firmware;
    }

    /** Fails when so much memory does not do. */
    public void checkMemory(MemorySize memory) throws DkvmException {
        if (firmware == Firmware.EFI && memory.compareTo(LEAST_MEMORY_FOR_EFI) < 0) {
            throw new DkvmException(
                    "memory of " + memory + " is too little for EFI",
                    "give \"--memory\" of " + LEAST_MEMORY_FOR_EFI + " or more");
        }
    }
}
