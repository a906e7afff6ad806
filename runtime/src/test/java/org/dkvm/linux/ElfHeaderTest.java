// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.dkvm.core.Architecture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ElfHeaderTest {
    @ParameterizedTest
    @CsvSource({
        // machine, class, byte order; name, whose VMs run it
        "62, 2, 1, amd64, AMD64",
        "62, 1, 1, amd64, AMD64",
        "3, 1, 1, 386, AMD64",
        "183, 2, 1, arm64, ARM64",
        "40, 1, 1, arm, ARM64",
        "183, 2, 2, arm64be,",
        "243, 2, 1, riscv64,",
        "243, 1, 1, riscv32,",
        "22, 2, 2, s390x,",
        "21, 2, 1, ppc64le,",
        "21, 2, 2, ppc64,",
        "8, 1, 1, mipsle,",
        "258, 2, 1, loong64,",
        "65535, 2, 1, ELF machine 65535,"
    })
    void theHeaderNamesTheMachine(int machine, int wide, int data, String name, Architecture architecture) {
        assertThat(ElfHeader.parse(ElfFile.of(machine, wide, data))).hasValueSatisfying(header -> {
            assertThat(header.name()).isEqualTo(name);
            assertThat(header.architecture().orElse(null)).isEqualTo(architecture);
        });
    }

    @Test
    void aHeaderThatIsCutIsNone() {
        byte[] whole = ElfFile.of(ElfFile.AARCH64);
        for (int length = 0; length < ElfHeader.BYTES; length++) {
            assertThat(ElfHeader.parse(Arrays.copyOf(whole, length))).isEmpty();
        }
        assertThat(ElfHeader.parse(Arrays.copyOf(whole, ElfHeader.BYTES))).isPresent();
    }

    @Test
    void anUnknownClassOrByteOrderIsNoHeader() {
        for (int odd : new int[] {0, 3, 0xff}) {
            assertThat(ElfHeader.parse(ElfFile.of(ElfFile.AARCH64, 2, odd))).isEmpty();
            assertThat(ElfHeader.parse(ElfFile.of(ElfFile.AARCH64, odd, 1))).isEmpty();
        }
        byte[] bytes = ElfFile.of(ElfFile.AARCH64);
        bytes[0] = (byte) 0xff;
        assertThat(ElfHeader.parse(bytes)).isEmpty();
    }
}
