// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DaemonJsonTest {
    @TempDir
    private Path directory = Path.of("");

    @Test
    void aMissingFileAndItsDirectoryAreMadeAndRemovedAgain() throws Exception {
        Path file = directory.resolve("etc/docker/daemon.json");
        assertThat(DaemonJson.run("register", file.toString(), "/x")).isEqualTo("changed");
        assertThat(file).content().contains("\"path\": \"/x\"");
        assertThat(DaemonJson.run("register", file.toString(), "/x")).isEqualTo("unchanged");
        assertThat(DaemonJson.run("unregister", file.toString())).isEqualTo("changed");
        assertThat(file).doesNotExist();
        assertThat(DaemonJson.run("unregister", file.toString())).isEqualTo("unchanged");
    }

    @Test
    void theFileAsItWasIsKeptAsABackupAndTheModeStays() throws Exception {
        Path file = directory.resolve("daemon.json");
        Files.writeString(file, "{\"debug\":true}");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        DaemonJson.run("register", file.toString(), "/x");
        assertThat(directory.resolve("daemon.json.dkvm-backup")).hasContent("{\"debug\":true}");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-r-----");
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(2);
        }
    }

    @Test
    void aLinkStaysALink() throws Exception {
        Path real = directory.resolve("real.json");
        Path link = directory.resolve("daemon.json");
        Files.writeString(real, "{}");
        Files.createSymbolicLink(link, real);
        DaemonJson.run("register", link.toString(), "/x");
        assertThat(link).isSymbolicLink();
        assertThat(real).content().contains("/x");
    }

    @Test
    void aBrokenFileIsNotTouched() throws Exception {
        Path file = directory.resolve("daemon.json");
        Files.writeString(file, "{ /* mine */ }");
        assertThatThrownBy(() -> DaemonJson.run("register", file.toString(), "/x"))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("is left as it is");
        assertThat(file).hasContent("{ /* mine */ }");
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void wrongArgumentsGetTheUsage() {
        assertThatThrownBy(() -> DaemonJson.run("register", "x")).hasMessageContaining("usage:");
        assertThatThrownBy(DaemonJson::run).hasMessageContaining("usage:");
    }
}
