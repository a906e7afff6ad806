// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever breaks, the container ends with an exit code and a word why, and nothing of it is left on the host. */
@EndToEnd
class FaultsTest {
    private static final String WORKLOAD =
            "trap 'echo ending; head -c 3000000 /dev/zero >/last; exit 0' TERM; echo ready; while :; do sleep 0.1; done";

    /** When the fault comes. */
    enum Moment {
        BOOTING,
        RUNNING,
        EXITING;

        /** Brings a new container to this moment. */
        private void reach(Docker docker, Container container) throws Exception {
            if (this == BOOTING) {
                return;
            }
            container.awaitLog("ready");
            if (this == EXITING) {
                docker.quietly("kill", "-s", "TERM", container.name());
                container.awaitLog("ending");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "qemu-system-x86, BOOTING", "qemu-system-x86, RUNNING", "qemu-system-x86, EXITING",
        "virtiofsd, BOOTING", "virtiofsd, RUNNING", "virtiofsd, EXITING",
        "dkvm-monitor, BOOTING", "dkvm-monitor, RUNNING", "dkvm-monitor, EXITING",
        "dkvm-init, BOOTING", "dkvm-init, RUNNING", "dkvm-init, EXITING",
    })
    void aProcessOfTheSandboxDies(String victim, Moment moment) throws Exception {
        onVm(docker -> {
            // One that is being restored boots: see TemplateTest.
            Container container = docker.start("--env=DKVM_TEMPLATE=off", BUSYBOX, "sh", "-c", WORKLOAD);
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            moment.reach(docker, container);
            OptionalLong pid = sandbox.await(victim);
            // While it exits it may be gone by itself, and that is no fault.
            if (pid.isPresent()) {
                Running.complete(List.of("/bin/kill", "-KILL", String.valueOf(pid.getAsLong())), Bytes.of(""));
            }
            container.awaitEnd();
            if (moment != Moment.EXITING) {
                assertThat(pid).isPresent();
                assertThat(container.inspect("{{.State.ExitCode}}")).isNotEqualTo("0");
                // With its first process the sandbox ends at once, and nobody can say a word.
                if (!victim.equals("dkvm-init")) {
                    assertThat(docker.attempt("logs", container.name()).errors())
                            .contains("dkvm");
                }
            }
            sandbox.assertGone();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"BOOTING", "RUNNING", "EXITING"})
    void aKilledContainerLeavesNothing(Moment moment) throws Exception {
        onVm(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", WORKLOAD);
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            moment.reach(docker, container);
            sandbox.find("dkvm-init");
            docker.attempt("kill", container.name());
            container.awaitEnd();
            if (moment != Moment.EXITING) {
                assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo("137");
            }
            sandbox.assertGone();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"BOOTING", "RUNNING"})
    void aContainerRemovedByForceLeavesNothing(Moment moment) throws Exception {
        onVm(docker -> {
            Container container = docker.start(
                    "--network", docker.network(), "-v", docker.volume() + ":/v", BUSYBOX, "sh", "-c", WORKLOAD);
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            moment.reach(docker, container);
            sandbox.find("dkvm-init");
            docker.quietly("rm", "-f", container.name());
            sandbox.assertGone();
        });
    }

    @Test
    void anOrdinaryRunLeavesNothing() throws Exception {
        onVm(docker -> {
            Container container = docker.start(
                    "-v", docker.directory() + ":/v", "--tmpfs", "/t", BUSYBOX, "sh", "-c", "echo done >/v/f");
            container.awaitEnd();
            assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo("0");
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
        });
    }

    @Test
    void aStopWhileBootingEndsItCleanly() throws Exception {
        onVm(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", WORKLOAD);
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            sandbox.find("dkvm-init");
            docker.quietly("stop", "-t", "100", container.name());
            sandbox.assertGone();
        });
    }

    @Test
    void anInterruptedClientWhileBootingLeavesNothing() throws Exception {
        onVm(docker -> {
            String name = docker.name();
            Running client = docker.openNamed(name, BUSYBOX, "sh", "-c", WORKLOAD);
            Deadline.await(
                    "the container", () -> docker.attempt("inspect", name).exitCode() == 0);
            String id = docker.quietly("inspect", "-f", "{{.Id}}", name);
            Deadline.await(
                    "its start",
                    () -> docker.attempt("inspect", "-f", "{{.State.Running}}", name)
                                    .text()
                                    .equals("true")
                            || !client.isAlive());
            // Until the workload has its trap the signal does nothing, as for every first process.
            Deadline.await("the end", () -> {
                if (client.isAlive()) {
                    client.signal("TERM");
                    Thread.sleep(500);
                }
                return !client.isAlive();
            });
            Sandbox.assertNothingLeft(id);
        });
    }

    @Test
    void anOptionIsNotInTheWorkloadsEnvironment() throws Exception {
        onVm(docker -> assertThat(docker.run("-e", "DKVM_ACCEL=tcg", "-e", "OTHER=1", BUSYBOX, "env")
                        .text())
                .contains("OTHER=1")
                .doesNotContain("DKVM_"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rdinit=/no/such/program panic=-1", "mem=1M", "root=/dev/nothing rdinit="})
    void aVmThatCannotBootIsAnErrorAndNoHang(String parameters) throws Exception {
        onVm(docker -> {
            Container container = docker.create("-e", "DKVM_KERNEL_APPEND=" + parameters, BUSYBOX, "true");
            Outcome outcome = docker.attempt("start", "-a", container.name());
            assertThat(outcome.exitCode()).isNotZero();
            assertThat(outcome.errors()).contains("dkvm");
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
        });
    }

    @Test
    void tenVmsAtOnceEndAndLeaveNothing() throws Exception {
        onVm(docker -> {
            List<Container> containers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                containers.add(docker.start("--memory", "64m", BUSYBOX, "sh", "-c", "exit " + (100 + i)));
            }
            for (int i = 0; i < containers.size(); i++) {
                Container container = containers.get(i);
                container.awaitEnd();
                assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo(String.valueOf(100 + i));
                docker.quietly("rm", container.name());
                Sandbox.assertNothingLeft(container.id());
            }
        });
    }

    @Test
    void anAbortOfQemuBeforeTheGuestAnswersIsMadeGood() throws Exception {
        onVm(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo fine; exit 3");
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            long first = sandbox.await("qemu-system-x86").orElseThrow();
            Running.complete(List.of("/bin/kill", "-ABRT", String.valueOf(first)), Bytes.of(""));
            container.awaitEnd();
            assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo("3");
            assertThat(container.log()).isEqualTo("fine\n");
            sandbox.assertGone();
        });
    }

    /** Speaks to QEMU in the monitor's place, by a copy of the monitor's end of their socket. See pidfd_getfd(2). */
    private static final String TELL_QEMU = """
            import ctypes, os, socket, sys
            libc = ctypes.CDLL(None, use_errno=True)
            monitor = int(sys.argv[1])
            process = libc.syscall(434, monitor, 0)
            for name in os.listdir("/proc/%d/fd" % monitor):
                if not os.readlink("/proc/%d/fd/%s" % (monitor, name)).startswith("socket:"):
                    continue
                end = socket.socket(fileno=libc.syscall(438, process, int(name), 0))
                if str(end.getsockname()).endswith("control.sock") and not end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    end.sendall(sys.argv[2].encode() + b"\\n")
                    sys.exit(0)
            sys.exit("no control socket")
            """;

    @Test
    void aMachineThatStopsIsLostAndNoHang() throws Exception {
        onVm(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", WORKLOAD);
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            container.awaitLog("ready");
            // Whoever pauses a container stops no machine.
            docker.quietly("pause", container.name());
            docker.quietly("unpause", container.name());
            assertThat(container.exec("true").exitCode()).isZero();
            long monitor = sandbox.await("dkvm-monitor").orElseThrow();
            sandbox.look();
            Host.run("python3", "-c", TELL_QEMU, String.valueOf(monitor), "{\"execute\":\"stop\"}");
            container.awaitEnd();
            assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo("255");
            assertThat(docker.attempt("logs", container.name()).errors())
                    .contains("dkvm: QEMU stopped the VM (paused)")
                    .contains("the VM was lost while DKVM waited for the workload to exit");
            sandbox.assertGone();
        });
    }
}
