// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespaceProcessesTest {
    @TempDir
    Path proc;

    private void process(int pid, String namespace, String name, String times, String memory) throws IOException {
        Path directory = Files.createDirectories(proc.resolve(Integer.toString(pid)));
        Files.createDirectory(directory.resolve("ns"));
        Files.createSymbolicLink(directory.resolve("ns/pid"), Path.of(namespace));
        Files.writeString(
                directory.resolve("stat"), pid + " (" + name + ") S 1 1 1 0 -1 0 0 0 0 0 " + times + " 20 0 1 0 5\n");
        Files.writeString(directory.resolve("smaps_rollup"), memory);
    }

    @Test
    void theProcessesOfANamespaceAreThoseOfTheSandbox() throws IOException {
        process(10, "pid:[1]", "dkvm-init", "1 2 3 4", "00-ff ---p\nRss:  8 kB\nPss:  4 kB\nPss_Anon: 9 kB\n");
        process(11, "pid:[1]", "a) R 7 (\u001b", "10 0 0 0", "Rss: 1024 kB\nPss: 512 kB\n");
        process(12, "pid:[2]", "other", "1 1 1 1", "");
        Files.createDirectory(proc.resolve("13"));
        assertThat(NamespaceProcesses.read(proc).with(10))
                .containsExactlyInAnyOrder(
                        new NamespaceProcesses.Use("dkvm-init", 100_000_000, 8192, 4096),
                        new NamespaceProcesses.Use("a) R 7 (\\x1b", 100_000_000, 1_048_576, 524_288));
    }

    @Test
    void whoHasEndedIsLeftOut() throws IOException {
        process(10, "pid:[1]", "first", "0 0 0 0", "Rss: 1 kB\nPss: 1 kB\n");
        process(11, "pid:[1]", "second", "0 0 0 0", "Rss: 1 kB\nPss: 1 kB\n");
        NamespaceProcesses seen = NamespaceProcesses.read(proc);
        Files.delete(proc.resolve("11/stat"));
        assertThat(seen.with(10)).extracting(NamespaceProcesses.Use::name).containsExactly("first");
        assertThat(seen.with(99)).isEmpty();
    }

    @Test
    void thisProcessIsAmongThem() throws IOException {
        assertThat(NamespaceProcesses.read().with(ProcessHandle.current().pid()))
                .anyMatch(use -> use.proportional() > 0 && use.resident() >= use.proportional());
    }
}
