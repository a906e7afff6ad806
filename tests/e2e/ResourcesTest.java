// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.HELLO;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --cpus}, {@code --memory} and their kin: accepted as by runc, and turned into the size of the VM. */
@EndToEnd
class ResourcesTest {
    private static final String ALLOCATE = "b = bytearray(%d * 1024 * 1024); print(len(b) // 1048576)";

    @ParameterizedTest
    @ValueSource(strings = {"64m", "96m", "128m", "300m", "1g"})
    void itRunsInAnyMemory(String memory) throws Exception {
        assertSame(docker -> docker.run("--memory", memory, HELLO));
    }

    @Test
    void sixtyFourMegabytesAreEnoughForAShellAndASession() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--memory", "64m", BUSYBOX, "sh", "-c", "echo ready; sleep 100000");
            container.awaitLog("ready");
            container.exec("sh", "-c", "seq 1 1000 | sha256sum");
        });
    }

    @Test
    void sixtyFourMegabytesCarryMuchData() throws Exception {
        // Buffers that grew with the data would end QEMU, or the guest.
        assertSame(docker -> docker.stdin("x".repeat(10_000_000)).run("-i", "--memory", "64m", BUSYBOX, "sha256sum"));
        assertSame(docker -> docker.run(
                "--memory", "64m", BUSYBOX, "sh", "-c", "head -c 50000000 /dev/zero >/f; wc -c /f; sha256sum /f"));
    }

    @Test
    void whatFitsIsAllocated() throws Exception {
        assertSame(docker -> docker.run("--memory", "256m", TOOLS, "python3", "-c", ALLOCATE.formatted(150)));
    }

    @Test
    void whatDoesNotFitIsKilled() throws Exception {
        assertSame(docker -> docker.exits(137)
                .run("--memory", "128m", "--memory-swap", "128m", TOOLS, "python3", "-c", ALLOCATE.formatted(400)));
    }

    @Test
    void aChildThatNeedsTooMuchIsKilledAlone() throws Exception {
        assertSame(docker -> docker.run(
                "--memory",
                "128m",
                "--memory-swap",
                "128m",
                TOOLS,
                "sh",
                "-c",
                "echo 500 >/proc/self/oom_score_adj; python3 -c '" + ALLOCATE.formatted(400)
                        + "' 2>/dev/null; echo child $?"));
    }

    @Test
    void otherMemoryOptionsAreAccepted() throws Exception {
        assertSame(docker -> docker.run(
                "--memory", "200m", "--memory-swap", "300m", "--memory-reservation", "100m", BUSYBOX, "echo", "fine"));
    }

    @Test
    void tooLittleMemoryIsRefusedByTheEngine() throws Exception {
        assertSame(docker -> docker.exits(125).run("--memory", "1m", BUSYBOX, "true"));
    }

    @Test
    void processorOptionsAreAccepted() throws Exception {
        assertSame(docker ->
                docker.run("--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", BUSYBOX, "echo", "fine"));
    }

    @Test
    void withoutAnOptionThereAreTheHostsProcessors() throws Exception {
        assertSame(docker -> docker.run(BUSYBOX, "nproc"));
    }

    @Test
    void aSetOfProcessorsIsTheirNumber() throws Exception {
        assertSame(docker -> docker.run("--cpuset-cpus", "0", BUSYBOX, "nproc"));
    }

    @Test
    void theTimeOfProcessorsIsUpdatedWhileRunning() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--cpus", "2", BUSYBOX, "sleep", "100000");
            docker.cli("update", "--cpus", "1", "--cpu-shares", "512", container.name());
            container.exec("echo", "still there");
        });
    }

    @Test
    void aStoppedContainersUpdateCountsAtTheNextStart() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--memory", "128m", BUSYBOX, "sh", "-c", "sleep 100000");
            docker.cli("kill", container.name());
            docker.cli("wait", container.name());
            docker.cli("update", "--memory", "256m", "--memory-swap", "512m", container.name());
            docker.cli("start", container.name());
            int kilobytes = Integer.parseInt(container
                    .exec("awk", "/^MemTotal/ {print $2}", "/proc/meminfo")
                    .text());
            assertThat(kilobytes).isBetween(196 * 768, 256 * 1024);
        });
    }

    @ParameterizedTest
    @CsvSource({"0.5, 1", "1, 1", "1.5, 2", "2, 2"})
    void theVmHasAsManyProcessorsAsNeeded(String cpus, String processors) throws Exception {
        onVm(docker ->
                assertThat(docker.run("--cpus", cpus, BUSYBOX, "nproc").text()).isEqualTo(processors));
    }

    @ParameterizedTest
    @CsvSource({"64m, 64", "256m, 256", ", 512", "1g, 1024"})
    void theVmHasTheMemory(String memory, int megabytes) throws Exception {
        onVm(docker -> {
            String[] arguments = memory == null
                    ? new String[] {BUSYBOX, "awk", "/^MemTotal/ {print $2}", "/proc/meminfo"}
                    : new String[] {"--memory", memory, BUSYBOX, "awk", "/^MemTotal/ {print $2}", "/proc/meminfo"};
            int kilobytes = Integer.parseInt(docker.run(arguments).text());
            // The kernel keeps some for itself.
            assertThat(kilobytes).isBetween((megabytes - 60) * 768, megabytes * 1024);
        });
    }

    @Test
    void theVmHasItsOwnKernel() throws Exception {
        onVm(docker -> {
            String kernel = docker.run(BUSYBOX, "uname", "-r").text();
            assertThat(kernel).isNotEmpty().isNotEqualTo(Host.run("uname", "-r"));
        });
    }
}
