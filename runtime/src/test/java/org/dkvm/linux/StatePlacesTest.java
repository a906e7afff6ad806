// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatePlacesTest {
    @TempDir
    Path directory;

    @Test
    void whoMayWriteToTheSystemsDirectoryIsRoot() {
        assertThat(StatePlaces.isUsers("/run/user/1000", true)).isFalse();
        assertThat(StatePlaces.isUsers("/run/user/1000", false)).isTrue();
        assertThat(StatePlaces.isUsers("", false)).isFalse();
        assertThat(StatePlaces.isUsers(null, false)).isFalse();
    }

    @Test
    void aUsersPlacesAreNobodyElsesAndTheCacheIsFoundByItsLink() throws Exception {
        Path run = directory.resolve("run/dkvm");
        Path cache = directory.resolve("home/.cache/dkvm");
        StatePlaces.prepare(run, cache);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(run)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
                .isEqualTo("rwx------");
        assertThat(run.resolve("cache").toRealPath()).isEqualTo(cache.toRealPath());
        StatePlaces.prepare(run, directory.resolve("other"));
        assertThat(run.resolve("cache").toRealPath()).isEqualTo(cache.toRealPath());
    }

    @Test
    void aCacheThatIsGoneIsMadeAgain() throws Exception {
        Path run = directory.resolve("dkvm");
        StatePlaces.prepare(run, directory.resolve("first"));
        FileTree.delete(directory.resolve("first"));
        StatePlaces.prepare(run, directory.resolve("second"));
        assertThat(run.resolve("cache").toRealPath())
                .isEqualTo(directory.resolve("second").toRealPath());
    }

    @Test
    void aPlaceThatCanNotBeMadeIsSaid() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> StatePlaces.prepare(directory.resolve("dkvm"), file.resolve("cache")))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("can not make");
    }
}
