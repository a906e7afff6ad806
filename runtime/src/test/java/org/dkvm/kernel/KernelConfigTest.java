// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelConfigTest {
    @TempDir
    Path directory;

    private void check() throws DkvmException {
        KernelConfig.checkTextScreen(new KernelStore.Found("own/1", Architecture.AMD64, directory, "vmlinux", "1"));
    }

    @Test
    void aKernelWithoutATextScreenIsRefusedByItsName() throws Exception {
        Files.writeString(directory.resolve("config"), "CONFIG_VT=y\n# CONFIG_VGA_CONSOLE is not set\n");
        assertThatThrownBy(this::check).hasMessageContaining("the kernel \"own/1\" has no text screen");
    }

    @Test
    void aKernelWithOnePasses() throws Exception {
        Files.writeString(directory.resolve("config"), "CONFIG_VT=y\nCONFIG_VGA_CONSOLE=y\n# caf\u00e9\n");
        check();
    }

    @Test
    void aKernelThatDoesNotSayPasses() throws Exception {
        check();
    }
}
