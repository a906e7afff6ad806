// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/** What a VM's processor runs first ({@code DKVM_BIOS}). */
public enum Firmware {
    /** The board's own, which hands over to the kernel at once: SeaBIOS, on a microvm qboot. */
    SEABIOS("SeaBIOS"),
    /** UEFI by OVMF, which starts the kernel as an EFI program. */
    EFI("EFI");

    private final String label;

    Firmware(String label) {
        this.label = label;
    }

    /** Its name in the option. */
    public String label() {
        return label;
    }
}
