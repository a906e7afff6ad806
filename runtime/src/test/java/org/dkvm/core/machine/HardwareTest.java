// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.junit.jupiter.api.Test;

class HardwareTest {
    @Test
    void aMicrovmHasNoEfi() {
        assertThat(catchThrowableOfType(DkvmException.class, () -> Hardware.of(Board.MICROVM, Firmware.EFI))
                        .text())
                .isEqualTo("the board \"microvm\" has no EFI; give DKVM_BIOS=EFI with DKVM_MACHINE=q35");
    }

    @Test
    void efiNeedsMoreMemoryThanAKernel() {
        Hardware efi = new Hardware(Board.Q35, Firmware.EFI);
        assertThat(catchThrowableOfType(DkvmException.class, () -> efi.checkMemory(MemorySize.ofMib(255))))
                .hasMessage("memory of 255 MiB is too little for EFI");
        assertThatCode(() -> efi.checkMemory(MemorySize.ofMib(256))).doesNotThrowAnyException();
        assertThatCode(() -> Hardware.ORDINARY.checkMemory(MemorySize.ofMib(64)))
                .doesNotThrowAnyException();
    }

    @Test
    void aMicrovmHasRoomForFourDisksAndNetworks() {
        assertThatCode(() -> Board.MICROVM.checkRoom(3, 1)).doesNotThrowAnyException();
        assertThatCode(() -> Board.Q35.checkRoom(16, 10)).doesNotThrowAnyException();
        assertThat(catchThrowableOfType(DkvmException.class, () -> Board.MICROVM.checkRoom(2, 3))
                        .text())
                .isEqualTo("the board \"microvm\" has room for 4 disks and networks in all, not for 2 and 3;"
                        + " DKVM_MACHINE=q35 has room for more");
    }
}
