// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.DkvmException;

/** The VM's board ({@code DKVM_MACHINE}): how its processors, memory and devices are put together. */
public enum Board {
    /** A PC with PCI Express. */
    Q35("q35", Integer.MAX_VALUE),
    /**
     * A board with no PCI and no ACPI: devices are at fixed places (virtio-mmio), eight in all, of which DKVM takes four for the agent's port, the share, the balloon and random
     * numbers. Nothing can be plugged in later. See QEMU's docs/system/i386/microvm.rst.
     */
    MICROVM("microvm", 4);

    private final String label;
    private final int places;

    Board(String label, int places) {
        this.label = label;
        this.places = places;
    }

    /** Its name in the option, and QEMU's. */
    public String label() {
        return label;
    }

    /** Whether devices can be plugged in while the VM runs. */
    public boolean takesDevicesLater() {
        return this == Q35;
    }

    /** Fails when so many disks and networks do not fit. */
    public void checkRoom(int disks, int networks) throws DkvmException {
        if (disks + networks > places) {
            throw new DkvmException(
                    "the board \"" + label + "\" has room for " + places + " disks and networks in all, not for "
                            + disks + " and " + networks,
                    "DKVM_MACHINE=" + Q35.label + " has room for more");
        }
    }
}
