// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
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
        assertThat(Depmod.complete(modules, List.of())).isEqualTo(Depmod.Made.HERE);
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
        assertThat(Depmod.complete(modules, List.of(bin.toString()))).isEqualTo(Depmod.Made.HERE);
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
        assertThat(Depmod.complete(modules, List.of(bin.toString()))).isEqualTo(Depmod.Made.BY_THE_HOST);
        assertThat(modules.resolve("modules.dep")).content().contains("modules.builtin");
        assertThat(Depmod.complete(modules, List.of(bin.toString()))).isEqualTo(Depmod.Made.SHIPPED);
    }
}
