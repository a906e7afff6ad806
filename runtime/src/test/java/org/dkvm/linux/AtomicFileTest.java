// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path directory;

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void aReplacedFileKeepsItsMode() throws IOException, DkvmException {
        Path file = Files.writeString(directory.resolve("f"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        AtomicFile.replace(file, "new \u00e9");
        assertThat(file).hasContent("new \u00e9");
        assertThat(mode(file)).isEqualTo("rw-r-----");
    }

    @Test
    void aNewFileIsItsOwnersOnly() throws IOException, DkvmException {
        AtomicFile.replace(directory.resolve("f"), "x");
        assertThat(mode(directory.resolve("f"))).isEqualTo("rw-------");
    }

    @Test
    void aPrivateFileIsItsOwnersOnlyWhateverItWas() throws IOException, DkvmException {
        Path file = Files.writeString(directory.resolve("f"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        AtomicFile.replacePrivate(file, "x");
        assertThat(mode(file)).isEqualTo("rw-------");
    }

    @Test
    void nothingElseIsLeftBehind() throws IOException, DkvmException {
        AtomicFile.replace(directory.resolve("f"), "x");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void aMissingDirectoryIsNamed() {
        assertThatThrownBy(() -> AtomicFile.replace(directory.resolve("no/f"), "x"))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("no/f");
    }
}
