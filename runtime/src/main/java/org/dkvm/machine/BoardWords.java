// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import org.dkvm.core.Architecture;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Board;

/** What QEMU and the kernel are told differently from board to board. */
final class BoardWords {
    private BoardWords() {}

    /** The value of {@code -machine}. */
    static String machine(Board board, Architecture architecture) {
        if (architecture == Architecture.ARM64) {
            // The third version of the interrupt controller is the first for more than eight CPUs.
            return "virt,memory-backend=memory,gic-version=3";
        }
        return switch (board) {
            case Q35 -> "q35,memory-backend=memory,usb=off,smbus=off,sata=off,vmport=off";
            // With ACPI an emulated one has no timer that its kernel finds.
            case MICROVM -> "microvm,memory-backend=memory,acpi=off";
        };
    }

    /** More kernel parameters, with a space before each. */
    static String kernelParameters(Machine machine) {
        return switch (machine.shape().hardware().board()) {
            case Q35 -> "";
            case MICROVM -> microvm(machine);
        };
    }

    private static String microvm(Machine machine) {
        // There is no keyboard controller to ask for a reset: the last resort comes first.
        String text = " acpi=off reboot=t";
        if (machine.shape().processor().accelerator() == Accelerator.TCG
                && machine.shape().processor().tscKilohertz() > 0) {
            // Nothing else on this board tells the time: given up, the clock would go on in steps of 10 ms.
            text += " tsc=reliable";
        }
        return text;
    }
}
