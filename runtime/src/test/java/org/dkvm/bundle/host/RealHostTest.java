// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealHostTest {
    @Test
    void thisProcessLivesInItsNetwork(@TempDir Path directory) throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("net"), Path.of("/proc/self/ns/net"));
        assertThat(new RealHost().isInhabited(link.toString(), "")).isTrue();
    }

    @Test
    void nobodyLivesInAFile(@TempDir Path directory) throws Exception {
        Path file = Files.createFile(directory.resolve("net"));
        assertThat(new RealHost().isInhabited(file.toString(), "")).isFalse();
        assertThat(new RealHost().isInhabited(directory.resolve("missing").toString(), ""))
                .isFalse();
    }
}
