// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** {@code docker update} of a container that runs: the VM becomes larger and smaller, and what it can not become is said. */
@EndToEnd
class UpdateWhileRunningTest {
    private static final String HOLD =
            "b = bytearray(250 * 1024 * 1024); print('ready', flush=True); import time; time.sleep(100000)";
    private static final String EXHAUST =
            "until [ -e /go ]; do sleep 0.1; done; exec python3 -c 'b = bytearray(900 * 1024 * 1024)'";
    private static final String FORKS = "for i in $(seq 20); do sleep 100000 & done; echo started";

    @Test
    void memoryGrowsAndShrinksAndIsUsed() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--memory", "256m", TOOLS, "sleep", "100000");
            updateMemory(docker, container, "900m");
            assertThat(kibibytes(container)).isBetween(800 * 1024, 900 * 1024);
            // What was added is used, by virtiofs, too.
            allocate(container, 600, 0);
            assertThat(container
                            .exec("sh", "-c", "head -c 300000000 /dev/zero >/f && wc -c </f && rm /f")
                            .text())
                    .isEqualTo("300000000");
            updateMemory(docker, container, "128m");
            assertThat(kibibytes(container)).isLessThan(128 * 1024);
            allocate(container, 400, 137);
            updateMemory(docker, container, "512m");
            allocate(container, 300, 0);
            assertThat(container.inspect("{{.HostConfig.Memory}}")).isEqualTo("536870912");
            assertThat(Host.dkvm("ps").text()).containsPattern(container.name() + ".* 512 MiB ");
        });
    }

    @Test
    void theEngineHearsOfALargerVmThatHasTooLittleMemory() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--memory", "128m", TOOLS, "sh", "-c", EXHAUST);
            docker.quietly("update", "--memory", "384m", "--memory-swap", "768m", container.name());
            container.exec("touch", "/go");
            container.finish();
            docker.note("OOMKilled", container.inspect("{{.State.OOMKilled}}"));
        });
    }

    @Test
    void aDistributionsKernelGrowsByItsModule() throws Exception {
        onVm(docker -> {
            Container container =
                    docker.start("--memory", "256m", "-e", "DKVM_KERNEL=debian", BUSYBOX, "sleep", "100000");
            int before = kibibytes(container);
            updateMemory(docker, container, "512m");
            assertThat(kibibytes(container) - before).isBetween(240 * 1024, 256 * 1024);
        });
    }

    @Test
    void memoryInUseIsNotTakenAndAllIsAsItWas() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--memory", "400m", TOOLS, "python3", "-c", HOLD);
            container.awaitLog("ready");
            int before = kibibytes(container);
            Outcome refused = docker.attempt("update", "--memory", "150m", "--memory-swap", "150m", container.name());
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.errors())
                    .contains("the guest uses so much of its memory that it can not give back 250 MiB");
            assertThat(container.inspect("{{.HostConfig.Memory}}")).isEqualTo("419430400");
            Deadline.await("the guest has its memory again", () -> kibibytes(container) == before);
            assertThat(container.inspect("{{.State.Running}}")).isEqualTo("true");
        });
    }

    @Test
    void moreThanThereIsRoomForIsRefused() throws Exception {
        onVm(docker -> {
            Container container =
                    docker.start("-e", "DKVM_MACHINE=microvm", "--memory", "128m", BUSYBOX, "sleep", "1000");
            Outcome refused = docker.attempt("update", "--memory", "256m", "--memory-swap", "256m", container.name());
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.errors())
                    .contains("this VM can have 128 MiB of memory while it runs, not 256 MiB")
                    .contains("stop the container, update it, and start it again");
            updateMemory(docker, container, "96m");
            assertThat(kibibytes(container)).isLessThan(96 * 1024);
        });
    }

    @Test
    void processorsComeAndGo() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--cpus", "1", BUSYBOX, "sleep", "100000");
            docker.cli("update", "--cpus", "2", container.name());
            container.exec("nproc");
            docker.cli("update", "--cpu-shares", "512", "--memory-reservation", "100m", container.name());
            container.exec("nproc");
        });
        onVm(docker -> {
            Container container = docker.start("--cpus", "1", BUSYBOX, "sleep", "100000");
            assertThat(container.exec("nproc").text()).isEqualTo("1");
            docker.quietly("update", "--cpus", "1.5", container.name());
            assertThat(container.exec("nproc").text()).isEqualTo("2");
            docker.quietly("update", "--cpus", "1", container.name());
            assertThat(container.exec("nproc").text()).isEqualTo("1");
        });
    }

    @Test
    void theLimitOfProcessesChanges() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--pids-limit", "10", BUSYBOX, "sleep", "100000");
            docker.exits(2).cli(container.execArguments("sh", "-c", FORKS));
            docker.cli("update", "--pids-limit", "60", container.name());
            container.exec("sh", "-c", FORKS);
        });
    }

    @Test
    void aLimitOfProcessesWhereThereWasNoneIsRefused() throws Exception {
        onVm(docker -> {
            Container container = docker.start(BUSYBOX, "sleep", "100000");
            Outcome refused = docker.attempt("update", "--pids-limit", "60", container.name());
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.errors()).contains("was started without a limit of processes");
        });
    }

    private static void updateMemory(Docker docker, Container container, String memory) throws Exception {
        // Fails the case where the engine does not say that it is done.
        docker.quietly("update", "--memory", memory, "--memory-swap", memory, container.name());
    }

    private static void allocate(Container container, int mebibytes, int exitCode) throws Exception {
        assertThat(container
                        .exec("python3", "-c", "b = bytearray(%d * 1024 * 1024)".formatted(mebibytes))
                        .exitCode())
                .isEqualTo(exitCode);
    }

    private static int kibibytes(Container container) throws Exception {
        return Integer.parseInt(
                container.exec("awk", "/^MemTotal/ {print $2}", "/proc/meminfo").text());
    }
}
