// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

    @Test
    void aProgramThatFailsIsNoReasonToFail() throws Exception {
        Path modules = modules(Compression.NONE);
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Files.writeString(bin.resolve("depmod"), "#!/bin/sh\nexit 1\n");
        assertThat(bin.resolve("depmod").toFile().setExecutable(true)).isTrue();
        assertThat(Depmod.runByTheHost(modules, List.of(bin.toString()))).isFalse();
        assertThat(Depmod.runByTheHost(modules, List.of())).isFalse();
        assertThat(modules.resolve("kernel/fs/xfs/xfs.ko")).exists();
    }

    @Test
    void theHostsProgramFindsTheModulesWhereItLooks() throws Exception {
        Path modules = modules(Compression.NONE);
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Files.writeString(
                bin.resolve("depmod"),
                "#!/bin/sh\n[ \"$1\" = -b ] && ls \"$2/lib/modules/$3\" >\"$2/lib/modules/$3/modules.dep\"\n");
        assertThat(bin.resolve("depmod").toFile().setExecutable(true)).isTrue();
        assertThat(Depmod.runByTheHost(modules, List.of(bin.toString()))).isTrue();
        assertThat(modules.resolve("modules.dep")).content().contains("modules.builtin");
    }

    @Test
    void theHostsProgramMayNotUseMoreThanItsShare() throws Exception {
        Path modules = modules(Compression.NONE);
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Path limits = directory.resolve("limits");
        Files.writeString(
                bin.resolve("depmod"),
                "#!/bin/sh\n{ ulimit -f; ulimit -t; ulimit -v; } >" + limits
                        + "\ntruncate -s 64M \"$2/fits\" && ! truncate -s 65M \"$2/large\" && exit 1\n");
        assertThat(bin.resolve("depmod").toFile().setExecutable(true)).isTrue();
        assertThat(Depmod.runByTheHost(modules, List.of(bin.toString()))).isFalse();
        assertThat(limits).hasContent("131072\n120\n1048576\n");
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
