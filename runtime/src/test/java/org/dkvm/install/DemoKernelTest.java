// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** package/demo-kernel.sh: what "make demo" does with what the cache and the installation have. */
class DemoKernelTest {
    @TempDir
    Path directory;

    private Path kernels;

    @BeforeEach
    void copyTheScript() throws IOException {
        Files.createDirectories(directory.resolve("package"));
        for (String file : new String[] {"demo-kernel.sh", "lib.sh"}) {
            Files.copy(Path.of("package", file), directory.resolve("package").resolve(file));
        }
        kernels = directory.resolve("opt/kernels");
        cacheHas(false, false);
    }

    /** As the kernel's build.sh answers. */
    private void cacheHas(boolean kernel, boolean modules) throws IOException {
        StandIn.script(
                directory.resolve("kernel/build.sh"),
                "case $* in --cached) " + modules + " ;; '--cached --no-modules') " + kernel + " ;; *) exit 2 ;; esac");
    }

    private void installationHas(String... files) throws IOException {
        for (String file : files) {
            StandIn.text(kernels.resolve("dkvm/6").resolve(file), "");
        }
        Files.createSymbolicLink(kernels.resolve("dkvm/latest"), Path.of("6"));
    }

    private String choice() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "bash",
                        directory.resolve("package/demo-kernel.sh").toString(),
                        directory.resolve("opt").toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return output.strip();
    }

    @Test
    void aFreshMachineHasDebiansKernel() throws IOException, InterruptedException {
        assertThat(choice()).isEqualTo("KERNEL=debian MODULES=no");
    }

    @Test
    void whatTheCacheHasIsTaken() throws IOException, InterruptedException {
        cacheHas(true, false);
        assertThat(choice()).isEqualTo("KERNEL=dkvm MODULES=no");
        cacheHas(true, true);
        assertThat(choice()).isEqualTo("KERNEL=dkvm MODULES=yes");
    }

    @Test
    void anInstallationOfDebiansKernelAloneIsReplaced() throws IOException, InterruptedException {
        StandIn.text(kernels.resolve("debian/6/vmlinuz"), "");
        StandIn.text(kernels.resolve("debian/6/modules/x.ko"), "");
        Files.createDirectories(kernels.resolve("dkvm"));
        Files.createSymbolicLink(kernels.resolve("dkvm/latest"), Path.of("../debian/6"));
        assertThat(choice()).isEqualTo("KERNEL=debian MODULES=no");
    }

    @Test
    void anInstalledKernelThatTheCacheHasNotStays() throws IOException, InterruptedException {
        installationHas("vmlinux");
        assertThat(choice()).isEqualTo("INSTALL=no");
        cacheHas(true, false);
        assertThat(choice()).isEqualTo("KERNEL=dkvm MODULES=no");
    }

    @Test
    void installedModulesThatTheCacheHasNotStay() throws IOException, InterruptedException {
        installationHas("vmlinux", "modules/x.ko");
        cacheHas(true, false);
        assertThat(choice()).isEqualTo("INSTALL=no");
        cacheHas(true, true);
        assertThat(choice()).isEqualTo("KERNEL=dkvm MODULES=yes");
    }
}
