// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an ordinary user's Podman does for containers it does for VMs, without the host's root. */
@EndToEnd
class RootlessTest {
    private static final String LIVES = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done";

    /** As many as there are below the highest in the user's namespace. */
    private static final long QEMUS_ID = 427_500_000L + 65_281 - 1;

    private enum Which {
        USERS
    }

    private static final SharedEngines<Which> ENGINES = new SharedEngines<>(Which.class, _ -> Engine.rootless(BUSYBOX));

    private static Engine podman() throws Exception {
        return ENGINES.get(Which.USERS);
    }

    @AfterAll
    static void endOfTheEngine() throws IOException {
        ENGINES.close();
    }

    private static Outcome beside(String... words) throws Exception {
        return Running.complete(podman().beside(words), Bytes.of(""));
    }

    @Test
    void aProgramRunsWithItsStreamsItsUserAndItsCode() throws Exception {
        Transcript seen = assertSame(
                podman(),
                docker -> docker.exits(42)
                        .stdin("typed")
                        .run(
                                "-i",
                                "--user=1000:1000",
                                "--workdir=/tmp",
                                "--hostname=named",
                                "--env=A=b c",
                                "--read-only",
                                "--tmpfs=/scratch:mode=1777",
                                BUSYBOX,
                                "sh",
                                "-c",
                                "cat; echo to stderr >&2; id -u; id -g; pwd; hostname; echo \"$A\"; touch /scratch/x && echo written;"
                                        + " touch /x 2>/dev/null || exit 42"));
        assertThat(seen.first().text()).startsWith("typed");
    }

    @Test
    void ownersInVolumesAreThoseOfTheUsersNamespace() throws Exception {
        assertSame(podman(), docker -> {
            String volume = docker.volume();
            docker.run(
                    "-v",
                    volume + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "touch /v/roots; mkdir /v/others; chown 1000:1001 /v/others; chmod 2750 /v/others; ln -s roots /v/link;"
                            + " mknod /v/null c 1 3 2>/dev/null; echo device $?;"
                            + " chown 70000 /v/roots 2>/dev/null; echo beyond $?; stat -c '%u %g %a %n' /v/*");
            docker.run(
                    "--user=1000", "-v", volume + ":/v:U", BUSYBOX, "sh", "-c", "stat -c '%u %n' /v/*; touch /v/own");
            String place = docker.quietly("volume", "inspect", "--format", "{{.Mountpoint}}", volume)
                    .strip();
            // As the host sees them.
            docker.note("owners", Host.run("sh", "-c", "cd " + place + " && stat -c '%u %g %n' *"));
        });
    }

    @Test
    void aContainerIsEnteredStoppedAndStartedAgain() throws Exception {
        assertSame(podman(), docker -> {
            Container container = docker.start("-e", "GIVEN=1", BUSYBOX, "sh", "-c", LIVES);
            container.awaitLog("ready");
            container.exec(docker.stdin("given").exits(5), "-i", "--", "sh", "-c", "cat; echo $GIVEN; exit 5");
            container.exec("id", "-u");
            docker.note(
                    "a program that is not there",
                    docker.attempt(container.execArguments("no-such-program")).exitCode());
            docker.quietly("stop", container.name());
            docker.note("its code", container.inspect("{{.State.ExitCode}}"));
            docker.quietly("start", container.name());
            Deadline.await("its second life", () -> container.log().split("ready", -1).length == 3);
            docker.quietly("kill", container.name());
            container.finish();
        });
    }

    @Test
    void publishedPortsLeadToTheWorkload() throws Exception {
        assertSame(podman(), docker -> {
            Container container = docker.start(
                    "-p", "127.0.0.1::80", BUSYBOX, "sh", "-c", "echo served >/page; exec httpd -f -p 80 -h /");
            int port = Host.port(docker.quietly("port", container.name(), "80"));
            Outcome[] answer = new Outcome[1];
            Deadline.await("the workload serves", () -> {
                answer[0] = beside("curl", "-sf", "http://127.0.0.1:" + port + "/page");
                return answer[0].exitCode() == 0;
            });
            docker.note("the page", answer[0].text());
        });
    }

    @Test
    void withoutANetworkThereIsTheLoopbackOnly() throws Exception {
        assertSame(
                podman(),
                docker -> docker.run("--network=none", BUSYBOX, "sh", "-c", "ls /sys/class/net; ip -o -4 addr"));
    }

    @Test
    void namesOfAUsersNetworkAreFoundAndReached() throws Exception {
        assertSame(podman(), docker -> {
            String network = docker.network("--subnet", Subnets.ipv4(docker) + ".0/24");
            Container web = docker.start(
                    "--network", network, BUSYBOX, "sh", "-c", "echo served >/page; exec httpd -f -p 80 -h /");
            Container client = docker.start("--network", network, BUSYBOX, "sh", "-c", LIVES);
            client.awaitLog("ready");
            Deadline.await(
                    "the workload serves",
                    () -> docker.attempt(client.execArguments("wget", "-qO-", "http://" + web.name() + "/page"))
                                    .exitCode()
                            == 0);
            client.exec("wget", "-qO-", "http://" + web.name() + "/page");
        });
    }

    @Test
    void aLimitThatTheHostCanNotHoldIsToldAndTheContainerRuns() throws Exception {
        assertSame(podman(), docker -> docker.run("--memory=200m", BUSYBOX, "echo", "runs"));
    }

    @Test
    void eachProcessHasWhatItNeedsOfTheUsersAndNothingOfTheHosts() throws Exception {
        onVm(podman(), docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", LIVES);
            container.awaitLog("ready");
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            String qemu = status(sandbox.await("qemu-system-x86").orElseThrow());
            assertThat(qemu)
                    .contains("Uid: " + QEMUS_ID + " " + QEMUS_ID + " " + QEMUS_ID)
                    // To listen at ports below 1024 of the network that Podman made.
                    .contains("CapPrm: 0000000000000400")
                    .contains("NoNewPrivs: 1")
                    .containsPattern("Groups: *\n");
            assertThat(status(sandbox.await("dkvm-monitor").orElseThrow()))
                    .contains("CapPrm: 0000000000000000")
                    .contains("Uid: 4275 4275");
            assertThat(status(sandbox.await("virtiofsd").orElseThrow())).contains("Uid: 4275 4275");
        });
    }

    @Test
    void theUserSeesItsVmsAndTheirLogs() throws Exception {
        onVm(podman(), docker -> {
            Container container = docker.start("--network=none", BUSYBOX, "sh", "-c", LIVES);
            container.awaitLog("ready");
            assertThat(beside(Settings.COMMAND, "ps").text())
                    .contains(container.id().substring(0, 12));
            assertThat(beside(Settings.COMMAND, "logs", container.id()).text()).contains("guest kernel");
            assertThat(beside(Settings.COMMAND, "timeline", container.id()).text())
                    .contains("the workload runs");
            docker.quietly("rm", "-f", "-t", "0", container.name());
            assertThat(beside(Settings.COMMAND, "ps").text())
                    .doesNotContain(container.id().substring(0, 12));
            assertThat(beside(Settings.COMMAND, "logs", container.id()).text()).contains("guest kernel");
            assertThat(beside(Settings.COMMAND, "check").text()).contains("ok: users:");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"qemu-system-x86", "virtiofsd", "dkvm-monitor", "dkvm-init"})
    void aProcessOfTheSandboxDiesAndNothingIsLeft(String victim) throws Exception {
        onVm(podman(), docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", LIVES);
            container.awaitLog("ready");
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            long pid = sandbox.await(victim).orElseThrow();
            sandbox.look();
            Running.complete(List.of("/bin/kill", "-KILL", String.valueOf(pid)), Bytes.of(""));
            container.awaitEnd();
            assertThat(container.inspect("{{.State.ExitCode}}")).isNotEqualTo("0");
            sandbox.assertGone();
            Outcome left =
                    beside("podman", "unshare", "sh", "-c", "ls $XDG_RUNTIME_DIR/dkvm/vms; cat /proc/self/mounts");
            assertThat(left.text()).doesNotContain(container.id());
        });
    }

    @Test
    void whatCanNotBeIsSaid() throws Exception {
        onVm(podman(), docker -> {
            assertThat(docker.attempt("run", "--runtime=dkvm", "--rm", "--userns=keep-id", BUSYBOX, "true")
                            .errors())
                    .contains("a user namespace for a VM is not supported yet")
                    .contains("leave --userns out");
            assertThat(docker.attempt("run", "--runtime=dkvm", "--rm", "--device=/dev/net/tun", BUSYBOX, "true")
                            .errors())
                    .contains("call the engine as root");
        });
    }

    @Test
    void allRightsOfTheUsersAreRightsInTheVm() throws Exception {
        assertSame(podman(), docker -> {
            Container container = docker.start("--privileged", BUSYBOX, "sleep", "1000");
            container.exec("sh", "-c", "mount -t tmpfs t /tmp && echo mounted");
        });
    }

    private static String status(long pid) throws IOException {
        return Files.readString(Path.of("/proc", String.valueOf(pid), "status")).replace('\t', ' ');
    }
}
