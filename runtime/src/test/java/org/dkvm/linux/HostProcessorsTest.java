// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class HostProcessorsTest {
    @Test
    void aVmHasNoMoreThanItsKernelKnows() throws Exception {
        assertThat(Files.readString(Path.of("kernel/dkvm.config")))
                .contains("CONFIG_NR_CPUS=" + HostProcessors.MOST + "\n");
        assertThat(HostProcessors.most(2)).isEqualTo(2);
        assertThat(HostProcessors.most(300)).isEqualTo(HostProcessors.MOST);
        assertThat(HostProcessors.count()).isBetween(1, HostProcessors.MOST);
    }
}
