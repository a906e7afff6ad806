// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The commands of {@code docker container} that LifecycleTest, AttachTest and the others about exec, logs and copies do not look at. */
@EndToEnd
class CommandsTest {
    private static final String LOOP = "while :; do sleep 0.1; done";
    /** Far more than the memory limits here. */
    private static final String HUNGRY = "x=$(head -c 200000000 /dev/zero | tr '\\0' a); echo ${#x}";

    private static final String EVENT =
            "{{.Action}} exitCode={{index .Actor.Attributes \"exitCode\"}} signal={{index .Actor.Attributes \"signal\"}}";

    /** What happened to a container from its creation on, in order, without what the engine's own plumbing adds. */
    private static List<String> events(Docker docker, Container container) throws Exception {
        // The engine's clock is this machine's.
        String now = String.valueOf(System.currentTimeMillis() / 1000 + 1);
        return docker.quietly(
                        "events",
                        "--since",
                        "0",
                        "--until",
                        now,
                        "--filter",
                        "container=" + container.id(),
                        "--format",
                        EVENT)
                .lines()
                .filter(line -> !line.startsWith("resize") && !line.startsWith("attach"))
                .toList();
    }

    @Test
    void eventsTellWhatHappened() throws Exception {
        assertSame(docker -> {
            Container container = docker.create(BUSYBOX, "sh", "-c", "trap 'exit 9' TERM; echo ready; " + LOOP);
            docker.cli("start", container.name());
            container.awaitLog("ready");
            container.exec("true");
            docker.exits(4).cli("exec", container.name(), "sh", "-c", "exit 4");
            docker.cli("pause", container.name());
            docker.cli("unpause", container.name());
            docker.cli("stop", "-t", "60", container.name());
            docker.note("events", events(docker, container));
        });
    }

    @Test
    void aKilledContainersEventsTellTheSignal() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("kill", container.name());
            container.awaitEnd();
            docker.note("events", events(docker, container));
        });
    }

    @Test
    void theEngineHearsThatTheMemoryWasTooSmall() throws Exception {
        Transcript seen = assertSame(docker -> {
            Container container = docker.start("--memory", "64m", DEBIAN, "sh", "-c", HUNGRY);
            container.awaitEnd();
            docker.note("state", container.inspect("{{.State.OOMKilled}} {{.State.ExitCode}}"));
            // How often a group tells it depends on how fast the process dies.
            docker.note("events", new LinkedHashSet<>(events(docker, container)));
        });
        assertThat(seen.toString()).contains("true 137").contains("oom");
    }

    @Test
    void theEngineHearsItAlsoWhenAChildDied() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--memory", "64m", DEBIAN, "sh", "-c", "sh -c \"" + HUNGRY.replace("$", "\\$") + "\"; exit 5");
            container.awaitEnd();
            docker.note("state", container.inspect("{{.State.OOMKilled}} {{.State.ExitCode}}"));
        });
    }

    @Test
    void enoughMemoryIsNoNews() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--memory", "64m", BUSYBOX, "sh", "-c", "exit 137");
            container.awaitEnd();
            docker.note("state", container.inspect("{{.State.OOMKilled}} {{.State.ExitCode}}"));
        });
    }

    @Test
    void theClockIsRightAfterAPause() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("pause", container.name());
            // The pause has to be longer than the error that is looked for.
            long end = System.nanoTime() + 5_000_000_000L;
            Deadline.await("five seconds", () -> System.nanoTime() - end > 0);
            docker.cli("unpause", container.name());
            long before = System.currentTimeMillis() / 1000;
            long inside = Long.parseLong(docker.quietly("exec", container.name(), "date", "+%s"));
            long after = System.currentTimeMillis() / 1000;
            docker.note(
                    "clock",
                    inside >= before - 1 && inside <= after + 1 ? "right" : before + " " + inside + " " + after);
        });
    }

    @Test
    void portsAreListed() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start("-p", "127.0.0.1::80", "-p", "127.0.0.1::53/udp", BUSYBOX, "sleep", "1000");
            String tcp = docker.quietly("port", container.name(), "80");
            String udp = docker.quietly("port", container.name(), "53/udp");
            docker.alias(tcp.substring(tcp.indexOf(':') + 1), "tcp port");
            docker.alias(udp.substring(udp.indexOf(':') + 1), "udp port");
            docker.note(
                    "ports",
                    docker.quietly("port", container.name()).lines().sorted().toList());
            docker.fails().cli("port", container.name(), "81");
        });
    }

    @Test
    void theIdIsWrittenToAFile() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("id");
            Container container = docker.start("--cidfile", file.toString(), BUSYBOX, "true");
            container.awaitEnd();
            docker.note("id", Files.readString(file));
            docker.exits(125).run("--cidfile", file.toString(), BUSYBOX, "true");
        });
    }

    @Test
    void theTimeToStopIsTheContainersOwn() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--stop-timeout",
                    "3",
                    "--stop-signal",
                    "USR1",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'echo asked' USR1; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("stop", container.name());
            container.finish();
        });
    }

    @Test
    void stoppedByHandItIsNotStartedAgain() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--restart", "always", BUSYBOX, "sh", "-c", "echo run; " + LOOP);
            container.awaitLog("run");
            docker.cli("stop", "-t", "0", container.name());
            docker.note("state", container.inspect("{{.State.Status}} {{.RestartCount}}"));
            docker.cli("start", container.name());
            Deadline.await("the second run", () -> container.log().equals("run\nrun\n"));
            docker.cli("update", "--restart", "no", container.name());
            docker.cli("kill", container.name());
            container.awaitEnd();
            docker.note("state", container.inspect("{{.State.Status}} {{.RestartCount}}"));
        });
    }

    @Test
    void aWorkloadThatFailsIsStartedUntilItIsStopped() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--restart", "unless-stopped", BUSYBOX, "sh", "-c", "echo run; exit 3");
            Deadline.await("two restarts", () -> Integer.parseInt(container.inspect("{{.RestartCount}}")) >= 2);
            // It is counted before the third run has said anything.
            Deadline.await("three runs", () -> container.log().startsWith("run\nrun\nrun\n"));
            docker.cli("stop", "-t", "60", container.name());
            docker.note("state", container.inspect("{{.State.Status}}"));
        });
    }

    @Test
    void endedContainersArePruned() throws Exception {
        assertSame(docker -> {
            String label = docker.name();
            Container ended = docker.start("--label", label, BUSYBOX, "true");
            Container runs = docker.start("--label", label, BUSYBOX, "sleep", "1000");
            ended.awaitEnd();
            docker.quietly("container", "prune", "--force", "--filter", "label=" + label);
            docker.exits(1).cli("inspect", ended.name());
            docker.note("runs", runs.running());
        });
    }

    @Test
    void listsShowIt() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "trap 'exit 6' TERM; echo ready; " + LOOP);
            container.awaitLog("ready");
            String[] list = {
                "ps",
                "-a",
                "--no-trunc",
                "--filter",
                "id=" + container.id(),
                "--format",
                "{{.Names}} {{.Command}} {{.State}}"
            };
            docker.cli(list);
            docker.cli("stop", "-t", "60", container.name());
            docker.cli(list);
            docker.note(
                    "status",
                    docker.quietly("ps", "-a", "--filter", "id=" + container.id(), "--format", "{{.Status}}")
                            .replaceFirst("\\) .*", ")"));
        });
    }

    @Test
    void whatIsInspectedIsWhatWasAsked() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "-e",
                    "A=b",
                    "-w",
                    "/tmp",
                    "-u",
                    "7:8",
                    "--memory",
                    "96m",
                    "--cpus",
                    "1",
                    "--pids-limit",
                    "70",
                    "--read-only",
                    BUSYBOX,
                    "sleep",
                    "1000");
            docker.note(
                    "inspected",
                    container.inspect(
                            "{{.Path}} {{.Args}} {{.Config.Env}} {{.Config.WorkingDir}} {{.Config.User}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.ReadonlyRootfs}} {{.State.Status}} {{.State.Paused}} {{.State.Restarting}} {{.State.OOMKilled}} {{.State.Dead}} {{.State.ExitCode}} {{.State.Error}} {{.Driver}} {{.Platform}}"));
        });
    }

    @Test
    void whatTheStateForbidsIsRefused() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("start", container.name());
            docker.exits(1).cli("unpause", container.name());
            docker.exits(1).cli("rm", container.name());
            docker.cli("pause", container.name());
            docker.exits(1).cli("exec", container.name(), "true");
            docker.cli("unpause", container.name());
            docker.cli("kill", container.name());
            container.awaitEnd();
            docker.exits(1).cli("kill", container.name());
            docker.cli("stop", container.name());
            docker.exits(1).cli("exec", container.name(), "true");
            docker.exits(1).cli("pause", container.name());
            docker.cli("wait", container.name());
            docker.cli("rm", container.name());
        });
    }

    @Test
    void aPausedContainerIsCopiedCommittedAndStopped() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("in"), "for later\n");
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo made >/made; sync; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("pause", container.name());
            docker.quietly(
                    "cp", container.name() + ":/made", directory.resolve("made").toString());
            docker.note("made", Files.readString(directory.resolve("made")));
            docker.quietly("cp", directory.resolve("in").toString(), container.name() + ":/in");
            String image = docker.imageName();
            docker.quietly("commit", container.name(), image);
            docker.cli("unpause", container.name());
            container.exec("cat", "/in");
            docker.run(image, "cat", "/made", "/in");
            docker.cli("pause", container.name());
            docker.cli("stop", "-t", "0", container.name());
            docker.note("state", container.inspect("{{.State.Status}} {{.State.ExitCode}}"));
        });
    }

    @Test
    void aRunningContainerIsCommittedAndExported() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null; echo whole >/small; sync; echo ready; " + LOOP);
            container.awaitLog("ready");
            String image = docker.imageName();
            docker.quietly("commit", container.name(), image);
            docker.note("goes on", container.running());
            docker.run(image, "sh", "-c", "cat /small; md5sum </big");
            Path file = docker.directory().resolve("tar");
            docker.quietly("export", "-o", file.toString(), container.name());
            docker.note(
                    "exported",
                    Host.run("sh", "-c", "tar -xOf " + file + " small; tar -xOf " + file + " big | md5sum"));
        });
    }

    @Test
    void logsAreCutAsAsked() throws Exception {
        assertSame(docker -> {
            // Which of two streams an engine reads first is not known: the last lines are of one.
            Container container = docker.start(BUSYBOX, "sh", "-c", "for i in 1 2 3 4 5; do echo out $i; done");
            container.awaitEnd();
            Container complains = docker.start(BUSYBOX, "sh", "-c", "echo err 1 >&2; echo err 2 >&2");
            complains.awaitEnd();
            docker.cli("logs", "--tail", "1", complains.name());
            docker.cli("logs", "--tail", "2", container.name());
            docker.cli("logs", "--follow", container.name());
            docker.cli("logs", "--until", "2000-01-01T00:00:00Z", container.name());
            docker.cli("logs", "--since", "2000-01-01T00:00:00Z", container.name());
            docker.note(
                    "with times",
                    docker.quietly("logs", "-t", container.name())
                            .lines()
                            .allMatch(line -> line.matches("20\\d\\d-.*Z out \\d")));
        });
    }

    @Test
    void statsCountWhatTheSandboxUses() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--memory", "128m", BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            String stats =
                    docker.quietly("stats", "--no-stream", "--format", "{{.MemPerc}} {{.PIDs}}", container.name());
            docker.note("memory and processes are counted", stats.matches("[0-9.]*[1-9][0-9.]*% [1-9][0-9]*"));
        });
    }
}
