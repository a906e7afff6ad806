// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code dkvm ps}, {@code logs} and {@code timeline}: what is there to see of a VM while it runs, and when it is gone. */
@EndToEnd
class VmLogsTest {
    private static String dkvm(String... arguments) throws Exception {
        Outcome outcome = Host.dkvm(arguments);
        assertThat(outcome.exitCode())
                .as(String.join(" ", arguments) + "\n" + outcome)
                .isZero();
        return outcome.text();
    }

    private static String row(String list, String id) {
        return list.lines()
                .filter(line -> line.startsWith(id.substring(0, 12)))
                .findFirst()
                .orElse("");
    }

    @Test
    void aVmIsSeenWhileItRunsAndWhenItIsGone() throws Exception {
        onVm(docker -> {
            Container container = docker.start(
                    "--memory=300m",
                    "--env=DKVM_TEMPLATE=off",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo up; until [ -e /go ]; do sleep 0.1; done; exit 7");
            container.awaitLog("up");
            String id = container.id();
            assertThat(row(dkvm("ps"), id))
                    .matches(id.substring(0, 12) + " +" + container.name()
                            + " +dkvm/\\S+-dkvm +(tcg|kvm) +300 MiB +\\d+ +\\d+ .* \\d+\\.\\d\\d s *");
            assertThat(dkvm("timeline", container.name()))
                    .contains("host     create", "monitor  hello", "guest    the kernel boots", "the workload runs");
            assertThat(dkvm("timeline", "--svg", id.substring(0, 9)))
                    .startsWith("<svg ")
                    .endsWith("</svg>");
            assertThat(dkvm("logs", container.name())).contains("QEMU's command line: ", " guest kernel ");

            // pids are those that the container sees; nothing of the sandbox is among them.
            assertThat(dkvm("top", container.name()))
                    .matches("(?s)guest: up \\d.* s, processors: \\d+, busy .* MiB used, processes: [12]\n.*")
                    .containsPattern("(?m)^ +1 root +[RS] +0:0\\d\\.\\d\\d +\\S+ [KM]iB  sh -c echo up; until ")
                    .doesNotContain("qemu", "dkvm-init", "virtiofsd");
            assertThat(row(dkvm("stats", "--no-stream"), id))
                    .matches(
                            id.substring(0, 12) + " +" + container.name() + " +\\d+\\.\\d % +\\d+\\.\\d MiB / 300.0 MiB"
                                    + " +[12] +\\d+\\.\\d % +\\d+\\.\\d MiB / \\d+\\.\\d MiB +\\d+\\.\\d MiB / \\d+\\.\\d MiB");
            docker.cli("pause", container.name());
            assertThat(Host.dkvm("top", id).errors())
                    .contains("dkvm top failed: can not ask the VM of \"" + id + "\": it is paused; ");
            assertThat(row(dkvm("stats", "--no-stream", container.name()), id)).endsWith("  it is paused");
            docker.cli("unpause", container.name());

            // It may be ended by the end that it brings about.
            docker.attempt("exec", container.name(), "touch", "/go");
            container.awaitEnd();
            assertThat(row(dkvm("ps"), id)).isEmpty();
            assertThat(row(dkvm("ps", "--all"), id)).contains(" gone ");
            docker.quietly("rm", container.name());
            assertThat(Host.dkvm("top", id).errors()).contains(": it does not run; \"dkvm ps\" lists");
            assertThat(dkvm("logs", container.name()))
                    .contains(", gone\n", "QEMU's command line: ", "guest finished: EXITED, exit code 7")
                    .doesNotContain("unmount of");
            assertThat(dkvm("timeline", id)).contains("the workload runs");
            assertThat(Files.exists(Path.of("/run/dkvm/vms/" + id))).isFalse();
            Sandbox.assertNothingLeft(id);
        });
    }

    @Test
    void aBootThatFailsIsToldWhole() throws Exception {
        onVm(docker -> {
            Container container =
                    docker.create("--env=DKVM_KERNEL_APPEND=rdinit=/none root=/dev/none", BUSYBOX, "true");
            docker.attempt("start", "--attach", container.name());
            assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo("125");
            assertThat(dkvm("logs", container.name()))
                    .contains(
                            "the VM was lost while DKVM waited for the guest's kernel to boot",
                            "== the guest's console\n",
                            "Kernel panic - not syncing: VFS: Unable to mount root fs");
            assertThat(dkvm("timeline", container.name()))
                    // A step that takes no time has no line.
                    .containsPattern("monitor  (QEMU started|agent channel)")
                    .contains("the last step that was reached");
        });
    }

    @Test
    void aContainerThatNeverWasAVmIsNamed() throws Exception {
        onVm(docker -> {
            Container container = docker.create(BUSYBOX, "true");
            Outcome outcome = Host.dkvm("logs", container.name());
            assertThat(outcome.exitCode()).isEqualTo(1);
            assertThat(outcome.errors()).contains("there is no VM \"" + container.name() + "\"");
        });
    }

    @Test
    void aSandboxThatCouldNotBeMadeLeavesNothing() throws Exception {
        onVm(docker -> {
            // Where no control group can be made, runc has made nothing yet.
            Container container = docker.create("--cgroup-parent=/cgroup.procs", BUSYBOX, "uname");
            assertThat(docker.attempt("start", container.name()).exitCode()).isNotZero();
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
        });
    }
}
