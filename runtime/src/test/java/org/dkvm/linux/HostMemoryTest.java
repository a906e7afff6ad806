// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.dkvm.core.MemorySize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostMemoryTest {
    @Test
    void theFirstLineTells() {
        assertThat(HostMemory.parse("MemTotal:       24617736 kB\nMemFree:         1 kB\n"))
                .isEqualTo(new MemorySize(24_617_736L * 1024));
        assertThat(HostMemory.total()).isGreaterThan(MemorySize.ofMib(1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "MemTotal:",
                "MemTotal: x kB",
                "MemTotal: -1 kB",
                "MemFree: 1 kB",
                "MemTotal: 9223372036854775807 kB"
            })
    void whatIsNotUnderstoodIsNothing(String text) {
        assertThat(HostMemory.parse(text)).isEqualTo(new MemorySize(0));
    }
}
