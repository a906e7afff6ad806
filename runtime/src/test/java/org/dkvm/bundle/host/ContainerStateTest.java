// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerStateTest {
    @TempDir
    Path directory;

    @Test
    void aContainerLivesAsLongAsItsFirstProcess() throws Exception {
        assertThat(ContainerState.isAlive(directory)).as("no state").isFalse();
        String stat = Files.readString(Path.of("/proc/self/stat"));
        long pid = ProcessHandle.current().pid();
        String start = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19];
        Path crun = directory.resolve("status");
        Files.writeString(crun, "{\"pid\": " + pid + ", \"process-start-time\": " + start + "}");
        assertThat(ContainerState.isAlive(directory)).isTrue();
        Path runc = directory.resolve("state.json");
        Files.writeString(runc, "{\"init_process_pid\": " + pid + ", \"init_process_start\": " + start + "}");
        assertThat(ContainerState.isAlive(directory)).isTrue();
        Files.writeString(runc, "{\"init_process_pid\": " + pid + ", \"init_process_start\": 1}");
        assertThat(ContainerState.isAlive(directory)).as("another process").isFalse();
        Files.writeString(runc, "{}");
        assertThat(ContainerState.isAlive(directory)).as("nothing told").isFalse();
    }
}
