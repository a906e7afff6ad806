// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreezerTest {
    @TempDir
    Path directory;

    private boolean holds(String groups) throws IOException {
        Path proc = directory.resolve("proc");
        Files.createDirectories(proc.resolve("7"));
        Files.writeString(proc.resolve("7/cgroup"), groups);
        return Freezer.holds(proc, directory.resolve("cgroup"), 7);
    }

    private void group(String file, String text) throws IOException {
        Path path = directory.resolve("cgroup").resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    @Test
    void ofVersion1TheStateIsTheFreezersOwn() throws IOException {
        group("freezer/docker/a/freezer.state", "FROZEN\n");
        group("freezer/docker/b/freezer.state", "THAWED\n");
        assertThat(holds("9:pids:/docker/a\n8:freezer:/docker/a\n0::/docker/a\n"))
                .isTrue();
        assertThat(holds("9:pids:/docker/b\n8:cpuset,freezer:/docker/b\n")).isFalse();
        group("freezer/docker/b/freezer.state", "FREEZING\n");
        assertThat(holds("8:cpuset,freezer:/docker/b\n")).isTrue();
    }

    @Test
    void ofVersion2ItIsTheGroups() throws IOException {
        group("system.slice/docker-a.scope/cgroup.freeze", "1\n");
        group("system.slice/docker-b.scope/cgroup.freeze", "0\n");
        group("unified/docker/c/cgroup.freeze", "1\n");
        assertThat(holds("0::/system.slice/docker-a.scope\n")).isTrue();
        assertThat(holds("0::/system.slice/docker-b.scope\n")).isFalse();
        assertThat(holds("0::/docker/c\n")).isTrue();
    }

    @Test
    void whoHasEndedOrSaysNothingIsNotFrozen() throws IOException {
        assertThat(holds("nonsense\n8:freezer:/nowhere\n0::/nowhere\n")).isFalse();
        assertThat(Freezer.holds(directory.resolve("none"), directory, 8)).isFalse();
        assertThat(Freezer.holds(ProcessHandle.current().pid())).isFalse();
    }
}
