// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.Hardware;

/** What can not be had with an image that is built for another architecture: all of it is refused here. */
public final class ForeignImage {
    private ForeignImage() {}

    /** Fails where a machine for that architecture has no such thing. */
    public static void check(Architecture architecture, MachineOptions machine) throws DkvmException {
        if (architecture.isForeign()) {
            checkFirmwareDebug(architecture, machine);
            checkAcceleration(architecture, machine);
        }
        checkHardware(architecture, machine.hardware());
        if (architecture.isForeign()) {
            checkDisplay(architecture, machine.display());
        }
    }

    private static void checkFirmwareDebug(Architecture architecture, MachineOptions machine) throws DkvmException {
        if (machine.firmwareDebug()) {
            throw new DkvmException(
                    "option \"DKVM_BIOS_DEBUG\" does not fit an image for " + architecture.label()
                            + ": its VM has no firmware",
                    "run the container without it");
        }
    }

    private static void checkAcceleration(Architecture architecture, MachineOptions machine) throws DkvmException {
        if (machine.acceleration() == Acceleration.KVM) {
            throw new DkvmException(
                    "KVM can not run an image for " + architecture.label() + " on a host with "
                            + Architecture.HOST.label(),
                    "\"DKVM_ACCEL=auto\" translates it");
        }
    }

    /** On no host is there another board than the one for these. */
    private static void checkHardware(Architecture architecture, Hardware hardware) throws DkvmException {
        if (architecture != Architecture.AMD64 && !hardware.isOrdinary()) {
            throw new DkvmException(
                    "a machine for " + architecture.label() + " has neither another board nor another firmware",
                    "leave DKVM_MACHINE and DKVM_BIOS out");
        }
    }

    private static void checkDisplay(Architecture architecture, Display display) throws DkvmException {
        if (display.isPresent()) {
            throw new DkvmException(
                    "a machine for " + architecture.label() + " has no display",
                    "leave DKVM_DISPLAY_MODE, DKVM_QEMU_DISPLAY and DKVM_QEMU_VGA out");
        }
    }
}
