// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;

/** The values of {@code DKVM_MACHINE} and {@code DKVM_BIOS}. */
final class HardwareOptions {
    private HardwareOptions() {}

    static Board board(String value) throws DkvmException {
        return switch (value) {
            case "", "q35" -> Board.Q35;
            case "microvm" -> Board.MICROVM;
            default -> throw Options.bad("DKVM_MACHINE", value, "q35 or microvm");
        };
    }

    static Firmware firmware(String value) throws DkvmException {
        return switch (value) {
            case "", "SeaBIOS" -> Firmware.SEABIOS;
            case "EFI" -> Firmware.EFI;
            default -> throw Options.bad("DKVM_BIOS", value, "EFI or SeaBIOS");
        };
    }
}
