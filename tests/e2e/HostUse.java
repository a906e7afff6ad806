// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a host has of what VMs could leave.
 *
 * @param processes programs of sandboxes, and shims
 * @param mounts in this mount namespace
 * @param links network devices in this network namespace
 * @param usedKib memory that is not available to programs
 */
record HostUse(int processes, int mounts, int links, long usedKib) {
    /** A word of memory that the kernel accounts to no process comes and goes; ten VMs that are left have more. */
    private static final long NOISE_KIB = 400 * 1024;

    private static final List<String> PROGRAMS =
            List.of("qemu-system-x86", "virtiofsd", "dkvm-init", "dkvm-exec", "containerd-shim");

    static HostUse now() throws IOException {
        int processes = 0;
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                processes += PROGRAMS.contains(name(process)) ? 1 : 0;
            }
        }
        int mounts = Files.readAllLines(Path.of("/proc/self/mountinfo")).size();
        int links = Files.readAllLines(Path.of("/proc/self/net/dev")).size();
        return new HostUse(processes, mounts, links, memory("MemTotal") - memory("MemAvailable"));
    }

    private static String name(Path process) {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private static long memory(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
            if (line.startsWith(name + ":")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("/proc/meminfo has no " + name);
    }

    /** The engine's own processes need a moment to end. */
    static HostUse settled(HostUse before) throws Exception {
        HostUse[] now = {HostUse.now()};
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        Deadline.await("the engine's processes to end", () -> {
            now[0] = HostUse.now();
            return System.nanoTime() > end
                    || (now[0].processes <= before.processes
                            && now[0].mounts <= before.mounts
                            && now[0].links <= before.links);
        });
        return now[0];
    }

    void assertNoMoreThan(HostUse before) {
        assertThat(processes).isLessThanOrEqualTo(before.processes);
        assertThat(mounts).isLessThanOrEqualTo(before.mounts);
        assertThat(links).isLessThanOrEqualTo(before.links);
        assertThat(usedKib).isLessThan(before.usedKib + NOISE_KIB);
    }
}
