// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostSettingsTest {
    @TempDir
    Path proc;

    private void set(String name, String value) throws IOException {
        Path file = proc.resolve("sys").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, value);
    }

    @Test
    void whatTheHostHasTheGuestGets() throws Exception {
        set("net/ipv4/ip_forward", "1\n");
        set("kernel/threads-max", "192730\n");
        set("fs/inotify/max_user_watches", "65536\n");
        set("vm/swappiness", "60\n");
        assertThat(HostSettings.read(proc))
                .containsOnlyKeys("net/ipv4/ip_forward", "kernel/threads-max", "fs/inotify/max_user_watches")
                .containsEntry("net/ipv4/ip_forward", "1")
                .containsEntry("fs/inotify/max_user_watches", "65536");
    }

    @Test
    void thisHostsAreWhole() throws Exception {
        assertThat(HostSettings.read(Path.of("/proc")))
                .hasSize(5)
                .containsEntry(
                        "kernel/threads-max",
                        Files.readAllLines(Path.of("/proc/sys/kernel/threads-max"))
                                .get(0));
    }

    @Test
    void whatNoGuestTakesIsLeftToIt() throws Exception {
        Files.createDirectories(proc.resolve("sys/kernel/threads-max"));
        set("fs/file-max", "18446744073709551615\n");
        set("net/ipv4/ip_forward", "");
        set("fs/inotify/max_user_instances", "9223372036854775807\n");
        assertThat(HostSettings.read(proc)).containsOnlyKeys("fs/inotify/max_user_instances");
    }
}
