// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** A container's life: created, started, paused, stopped, started again, copied, committed, exported, removed. */
@EndToEnd
class LifecycleTest {
    private static final String LOOP = "while :; do sleep 0.1; done";

    @Test
    void statesFollowOneAnother() throws Exception {
        assertSame(docker -> {
            Container container = docker.create(BUSYBOX, "sh", "-c", "trap 'exit 3' TERM; echo ready; " + LOOP);
            docker.note("created", container.inspect("{{.State.Status}}"));
            docker.cli("start", container.name());
            container.awaitLog("ready");
            docker.note("started", container.inspect("{{.State.Status}} {{.State.Running}} {{gt .State.Pid 0}}"));
            docker.cli("pause", container.name());
            docker.note("paused", container.inspect("{{.State.Status}} {{.State.Paused}}"));
            docker.cli("unpause", container.name());
            docker.note("unpaused", container.inspect("{{.State.Status}}"));
            docker.cli("stop", "-t", "60", container.name());
            docker.note(
                    "stopped",
                    container.inspect(
                            "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{.State.Dead}} {{.State.Error}}"));
            docker.cli("rm", container.name());
            docker.exits(1).cli("inspect", container.name());
        });
    }

    @Test
    void aPausedWorkloadDoesNothing() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start(BUSYBOX, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done");
            container.awaitLog("5\n");
            docker.cli("pause", container.name());
            String before = container.log();
            for (int i = 0; i < 10; i++) {
                container.inspect("{{.Id}}");
            }
            String after = container.log();
            // A line may still have been on its way when the pause began.
            docker.note("stood still", after.length() - before.length() <= 8);
            docker.cli("unpause", container.name());
            Deadline.await("it goes on", () -> container.log().length() > after.length() + 16);
        });
    }

    @Test
    void aPausedContainerCanBeKilledAfterItGoesOn() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("pause", container.name());
            docker.exits(1).cli("pause", container.name());
            docker.cli("unpause", container.name());
            docker.cli("kill", container.name());
            container.finish();
        });
    }

    @Test
    void filesAreThereAtTheNextStart() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX, "sh", "-c", "echo run >>/runs; cat /runs; rm -f /etc/group; ls /etc/group; true");
            container.awaitEnd();
            docker.cli("start", "-a", container.name());
            docker.cli("start", "-a", container.name());
        });
    }

    @Test
    void restartStopsAndStarts() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'echo stopping; exit 0' TERM; echo start >>/starts; echo \"ready $(wc -l </starts)\"; "
                            + LOOP);
            container.awaitLog("ready 1");
            docker.cli("restart", "-t", "60", container.name());
            container.awaitLog("ready 2");
            docker.cli("stop", "-t", "60", container.name());
            container.finish();
        });
    }

    @Test
    void aRestartPolicyStartsItAgain() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--restart", "on-failure:2", BUSYBOX, "sh", "-c", "echo run; exit 11");
            Deadline.await(
                    "all attempts",
                    () -> container
                            .inspect("{{.RestartCount}} {{.State.Status}}")
                            .equals("2 exited"));
            docker.note("exit code", container.inspect("{{.State.ExitCode}}"));
            docker.cli("logs", container.name());
        });
    }

    @Test
    void theContainerRemovesItself() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--rm", BUSYBOX, "true");
            Deadline.await(
                    "the removal",
                    () -> docker.attempt("inspect", container.name()).exitCode() != 0);
            docker.note("gone", true);
        });
    }

    @Test
    void aRunningContainerIsRemovedByForceOnly() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sleep", "1000");
            docker.attempt("rm", container.name());
            docker.note("running", container.running());
            docker.cli("rm", "-f", container.name());
        });
    }

    @Test
    void copyIntoAndOutOfAContainerNeverStarted() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("in"), "copied in\n");
            Container container = docker.create(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /tmp/in; stat -c '%a %u:%g' /tmp/in; mkdir /out; echo copied out >/out/f; chmod 750 /out; ln -s f /out/l");
            docker.quietly("cp", directory.resolve("in").toString(), container.name() + ":/tmp/in");
            docker.cli("start", "-a", container.name());
            docker.quietly(
                    "cp", container.name() + ":/out", directory.resolve("out").toString());
            docker.note("out", Host.run("sh", "-c", "cd " + directory + "; cat out/f; stat -c '%n %a %F' out out/*"));
        });
    }

    @Test
    void copyIntoAndOutOfARunningContainer() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("in"), "live\n");
            Container container = docker.start(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo from inside >/made; echo ready; until [ -s /tmp/in ]; do sleep 0.1; done; cat /tmp/in; sleep 1000");
            container.awaitLog("ready");
            docker.quietly(
                    "cp", container.name() + ":/made", directory.resolve("made").toString());
            docker.note("made", Files.readString(directory.resolve("made")));
            docker.quietly("cp", directory.resolve("in").toString(), container.name() + ":/tmp/in");
            container.awaitLog("live");
            docker.note("log", container.log());
        });
    }

    @Test
    void nothingChangedIsNoDifference() throws Exception {
        assertSame(docker -> {
            for (String image : new String[] {Images.HELLO, BUSYBOX, DEBIAN}) {
                Container container = image.equals(Images.HELLO) ? docker.start(image) : docker.start(image, "true");
                container.awaitEnd();
                docker.cli("diff", container.name());
            }
        });
    }

    @Test
    void theDifferenceIsWhatTheWorkloadChanged() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "-v",
                    "/volume",
                    "--tmpfs",
                    "/scratch",
                    "-w",
                    "/made/dir",
                    DEBIAN,
                    "sh",
                    "-c",
                    "echo a >/added; mkdir -p /d/e; echo f >/d/e/f; rm /etc/issue; chmod 700 /etc/motd; echo x >>/etc/passwd; echo v >/volume/f; echo t >/scratch/f; ln -s a /l; mv /etc/fstab /etc/moved; rm -r /etc/pam.d; echo tmp >/tmp/t; echo run >/run/r");
            container.awaitEnd();
            docker.note(
                    "diff",
                    docker.quietly("diff", container.name()).lines().sorted().toList());
        });
    }

    @Test
    void aCommitHasTheChangesForAnyRuntime() throws Exception {
        assertSame(docker -> {
            String image = docker.imageName();
            Container container = docker.start(
                    TOOLS,
                    "sh",
                    "-c",
                    "echo committed >/f; chown 7:8 /f; chmod 4755 /f; rm /etc/issue; mkdir /d; ln /f /d/hard; setfattr -n user.x -v y /f; cp /bin/cat /c; setcap cap_kill+p /c");
            container.awaitEnd();
            docker.quietly("commit", "-c", "CMD [\"cat\", \"/f\"]", container.name(), image);
            docker.run(image);
            Container peer = docker.peer(
                    image,
                    "sh",
                    "-c",
                    "cat /f /d/hard; stat -c '%a %u:%g %h' /f; ls /etc/issue; getfattr -d /f; getcap /c");
            peer.finish();
        });
    }

    @Test
    void anExportIsTheWholeTree() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo e >/exported; chown 5:6 /exported; rm /etc/group; mkfifo /p; mknod /dev0 c 1 3; ln -s exported /l");
            container.awaitEnd();
            Path file = docker.directory().resolve("tar");
            docker.quietly("export", "-o", file.toString(), container.name());
            docker.note(
                    "tree",
                    Host.run(
                            "sh",
                            "-c",
                            "tar --numeric-owner --full-time -tvf " + file
                                    + " | sed 's/20[0-9-]* [0-9:.]* //' | sort"));
        });
    }

    @Test
    void topShowsTheContainersProcesses() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sleep", "1000");
            docker.note("answers", docker.attempt("top", container.name()).exitCode());
            docker.note(
                    "stats",
                    docker.attempt("stats", "--no-stream", "--format", "{{.Name}}", container.name())
                            .text());
        });
    }

    @Test
    void renamedContainersGoOn() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start(BUSYBOX, "sh", "-c", "trap 'echo term; exit 2' TERM; echo ready; " + LOOP);
            container.awaitLog("ready");
            String name = docker.name();
            docker.quietly("rename", container.name(), name);
            docker.cli("exec", name, "echo", "still here");
            docker.cli("stop", "-t", "60", name);
            docker.cli("logs", name);
        });
    }

    @Test
    void waitReturnsToEveryWaiter() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "trap 'exit 19' TERM; echo ready; " + LOOP);
            container.awaitLog("ready");
            Running one = docker.openCli("wait", container.name());
            Running two = docker.openCli("wait", container.name());
            docker.quietly("kill", "-s", "TERM", container.name());
            docker.note("first", one.finish());
            docker.note("second", two.finish());
        });
    }
}
