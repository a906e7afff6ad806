// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dkvm.linux.FileTree;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DepmodTest {
    @TempDir
    Path directory;

    private Path modules(Compression compression) throws Exception {
        SampleKernel.directory(
                directory,
                compression == Compression.NONE ? SampleKernel.files() : SampleKernel.withModules(compression));
        return directory.resolve("lib/modules/" + SampleKernel.RELEASE);
    }

    @Test
    void withoutTheHostsProgramTheTextsAreMadeHere() throws Exception {
        Path modules = modules(Compression.XZ);
        assertThat(Depmod.complete(modules, new Budget(Bounds.USUAL))).isTrue();
        assertThat(Depmod.complete(modules, new Budget(Bounds.USUAL))).isFalse();
        assertThat(modules.resolve("modules.dep"))
                .content()
                .contains("""
                kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz
                """)
                .contains("""
                kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz
                """)
                .contains("""
                kernel/fs/xfs/xfs.ko.xz:
                """);
        assertThat(modules.resolve("modules.alias")).hasContent("alias virtio:d00000001v* virtio_net\n");
    }

    private List<String> program() throws IOException {
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Path program = Files.writeString(bin.resolve("depmod"), "");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        return List.of(bin.toString());
    }

    @Test
    void aProgramThatFailsIsNoReasonToFail() throws Exception {
        Path modules = modules(Compression.NONE);
        assertThat(Depmod.runByTheHost(modules, program(), (program, base, release) -> false))
                .isFalse();
        assertThat(Depmod.runByTheHost(modules, List.of(), (program, base, release) -> true))
                .isFalse();
        assertThat(modules.resolve("kernel/fs/xfs/xfs.ko")).exists();
    }

    @Test
    void theHostsProgramFindsTheModulesWhereItLooks() throws Exception {
        Path modules = modules(Compression.NONE);
        assertThat(Depmod.runByTheHost(modules, program(), (program, base, release) -> {
                    Path place = base.resolve("lib/modules").resolve(release);
                    try {
                        assertThat(place.resolve("modules.builtin")).exists();
                        Files.writeString(place.resolve("modules.dep"), program.toString());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                    return true;
                }))
                .isTrue();
        assertThat(modules.resolve("modules.dep")).content().endsWith("bin/depmod");
    }

    @Test
    void modulesThatALinkStandsForAreNotTaken() throws Exception {
        Path modules = modules(Compression.NONE);
        assertThatThrownBy(() -> Depmod.runByTheHost(modules, program(), (program, base, release) -> {
                    Path place = base.resolve("lib/modules").resolve(release);
                    try {
                        FileTree.delete(place);
                        Files.createSymbolicLink(place, directory);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                    return true;
                }))
                .hasMessageContaining("they are gone");
        assertThat(modules).doesNotExist();
    }

    @Test
    void manySmallModulesAreTooMany() throws Exception {
        Path modules = Files.createDirectories(directory.resolve("many"));
        byte[] module = SampleKernel.module("");
        for (int i = 0; i < 20; i++) {
            Files.write(modules.resolve("m" + i + ".ko"), module);
        }
        Bounds entries = new Bounds(20, 1000, 100_000, Duration.ofMinutes(1));
        assertThatThrownBy(() -> Depmod.complete(modules, new Budget(entries)))
                .hasMessage("it has more than 20 entries");
        Bounds bytes = new Bounds(100, 1000, 10L * module.length, Duration.ofMinutes(1));
        assertThatThrownBy(() -> Depmod.complete(modules, new Budget(bytes)))
                .hasMessageContaining("it has more than " + 10 * module.length + " bytes");
        assertThat(Depmod.complete(modules, new Budget(Bounds.IMAGE))).isTrue();
    }
}
