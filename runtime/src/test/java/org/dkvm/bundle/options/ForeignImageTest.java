// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForeignImageTest {
    private static final Architecture FOREIGN =
            Architecture.HOST == Architecture.AMD64 ? Architecture.ARM64 : Architecture.AMD64;

    private static MachineOptions with(String... env) throws DkvmException {
        return Options.parse(List.of(env), HostConfig.defaults()).machine();
    }

    @ParameterizedTest
    @CsvSource({
        "DKVM_BIOS_DEBUG=1, its VM has no firmware",
        "DKVM_ACCEL=kvm, KVM can not run an image for",
        "DKVM_DISPLAY_MODE=serial, has no display",
        "DKVM_QEMU_VGA=std, has no display",
    })
    void whatItsMachineDoesNotHaveIsRefused(String option, String text) throws DkvmException {
        MachineOptions machine = with(option);
        assertThatThrownBy(() -> ForeignImage.check(FOREIGN, machine)).hasMessageContaining(text);
        ForeignImage.check(Architecture.HOST, machine);
    }

    @ParameterizedTest
    @CsvSource({"DKVM_MACHINE=microvm", "DKVM_BIOS=EFI"})
    void machinesForArmHaveOneBoard(String option) throws DkvmException {
        MachineOptions machine = with(option);
        assertThatThrownBy(() -> ForeignImage.check(Architecture.ARM64, machine))
                .hasMessage("a machine for arm64 has neither another board nor another firmware");
    }

    @ParameterizedTest
    @CsvSource({"DKVM_ACCEL=tcg", "DKVM_ACCEL=auto", "DKVM_DISPLAY_MODE="})
    void whatItsMachineHasPasses(String option) throws DkvmException {
        ForeignImage.check(FOREIGN, with(option));
    }
}
