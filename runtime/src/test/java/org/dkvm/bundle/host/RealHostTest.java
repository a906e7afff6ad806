// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.linux.MountTable;
import org.dkvm.linux.PlainReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealHostTest {
    @Test
    void thisProcessLivesInItsNetwork(@TempDir Path directory) throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("net"), Path.of("/proc/self/ns/net"));
        assertThat(new RealHost(new PlainReader()).isInhabited(link.toString(), ""))
                .isTrue();
    }

    @Test
    void nobodyLivesInAFile(@TempDir Path directory) throws Exception {
        Path file = Files.createFile(directory.resolve("net"));
        assertThat(new RealHost(new PlainReader()).isInhabited(file.toString(), ""))
                .isFalse();
        assertThat(new RealHost(new PlainReader())
                        .isInhabited(directory.resolve("missing").toString(), ""))
                .isFalse();
    }

    @Test
    void filesOfTheKernelsOwnHaveNoSize(@TempDir Path directory) throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("proc"), Path.of("/proc"));
        assertThat(new RealHost(new PlainReader()).sizeless(link.toString())).isEqualTo("proc");
        assertThat(new RealHost(new PlainReader()).sizeless("/proc/self/status"))
                .isEqualTo("proc");
        assertThat(new RealHost(new PlainReader()).sizeless("/sys")).isEmpty();
        assertThat(new RealHost(new PlainReader())
                        .sizeless(Files.createFile(directory.resolve("empty")).toString()))
                .isEmpty();
        assertThat(new RealHost(new PlainReader())
                        .sizeless(directory.resolve("missing").toString()))
                .isEmpty();
    }

    @Test
    void theNearestMountCountsAndOfSeveralTheLast() {
        List<MountTable.Mount> mounts =
                List.of(on("/", "ext4"), on("/a", "proc"), on("/a", "tmpfs"), on("/ab", "proc"));
        assertThat(RealHost.sizeless(Path.of("/a/x"), mounts)).isEmpty();
        assertThat(RealHost.sizeless(Path.of("/ab/x"), mounts)).isEqualTo("proc");
        assertThat(RealHost.sizeless(Path.of("/x"), mounts)).isEmpty();
    }

    private static MountTable.Mount on(String point, String type) {
        return new MountTable.Mount("0:1", "/", point, List.of(), type, "", List.of());
    }
}
