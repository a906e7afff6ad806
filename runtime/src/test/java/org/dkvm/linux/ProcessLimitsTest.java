// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.dkvm.core.container.ResourceLimit;
import org.junit.jupiter.api.Test;

class ProcessLimitsTest {
    @Test
    void limitsAreReadFromTheKernelsTable() {
        assertThat(ProcessLimits.parse("""
                        Limit                     Soft Limit           Hard Limit           Units
                        Max stack size            8388608              unlimited            bytes
                        Max open files            1024                 1048576              files
                        Max nice priority         0                    0
                        Max something new         1                    2
                        """))
                .containsExactly(
                        new ResourceLimit(3, 8388608, -1),
                        new ResourceLimit(7, 1024, 1048576),
                        new ResourceLimit(13, 0, 0));
    }

    @Test
    void damagedLinesAreLeftOut() {
        assertThat(ProcessLimits.parse("Max open files x y\nMax open files\n\nMax"))
                .isEmpty();
    }

    @Test
    void thisProcessHasAllSixteen() {
        assertThat(ProcessLimits.own()).hasSize(16);
    }
}
