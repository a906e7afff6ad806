// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Exec sessions are independent of one another, of their clients, and bound to the container's life. */
@EndToEnd
class ExecSessionsTest {
    private static Container sleeper(Docker docker) throws Exception {
        return docker.start(BUSYBOX, "sleep", "100000");
    }

    @Test
    void aSessionRightAfterTheStartWaitsForTheWorkload() throws Exception {
        assertSame(docker -> sleeper(docker).exec("echo", "early"));
    }

    @Test
    void fiftySessionsAtOnce() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            List<Running> clients = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                clients.add(docker.openCli(
                        container.execArguments("-i", "--", "sh", "-c", "cat; echo err " + i + " >&2; exit " + i)));
            }
            for (int i = 0; i < 50; i++) {
                clients.get(i).write("input of " + i + "\n");
                clients.get(i).closeStdin();
            }
            for (int i = 0; i < 50; i++) {
                docker.note("session " + i, clients.get(i).finish());
            }
        });
    }

    @Test
    void sessionsOfRandomSizesKeepEveryByte() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            Random random = new Random(33);
            for (int round = 0; round < 4; round++) {
                List<Running> clients = new ArrayList<>();
                List<Bytes> inputs = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    byte[] input = new byte[random.nextInt(1 << random.nextInt(20))];
                    random.nextBytes(input);
                    inputs.add(Bytes.of(input));
                    clients.add(docker.openCli(container.execArguments("-i", "--", "cat")));
                }
                for (int i = 0; i < clients.size(); i++) {
                    clients.get(i).write(inputs.get(i));
                    clients.get(i).closeStdin();
                }
                for (int i = 0; i < clients.size(); i++) {
                    Outcome outcome = clients.get(i).finish();
                    docker.note(
                            "round " + round + " session " + i,
                            outcome.exitCode() + " " + outcome.stdout().equals(inputs.get(i)));
                }
            }
        });
    }

    @Test
    void aStalledReaderDelaysNobody() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            Running stalled = docker.openCli(container.execArguments("yes", "stalled"));
            stalled.awaitStdout("stalled");
            stalled.signal("STOP");
            container.exec("seq", "1", "50000");
            container.exec(docker.stdin("x".repeat(500_000)), "-i", "--", "wc", "-c");
            stalled.signal("KILL");
            stalled.finish();
            container.exec("echo", "afterwards");
        });
    }

    @Test
    void aWriterThatIsNotReadGoesOnWhenItIs() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            Running client =
                    docker.openCli(container.execArguments("sh", "-c", "echo begin; seq 1 300000; echo finished"));
            client.awaitStdout("begin");
            client.signal("STOP");
            container.exec("echo", "meanwhile");
            client.signal("CONT");
            docker.note("all", client.finish());
        });
    }

    @Test
    void theProcessOutlivesItsKilledClient() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            Running client =
                    docker.openCli(container.execArguments("sh", "-c", "echo $$ >/pid; echo begun; exec sleep 100000"));
            client.awaitStdout("begun");
            client.signal("KILL");
            client.finish();
            container.exec("echo", "next");
            container.exec("sh", "-c", "cat /proc/$(cat /pid)/comm");
        });
    }

    @Test
    void theProcessOutlivesItsInterruptedClient() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            Running client = docker.openCli(container.execArguments(
                    "sh", "-c", "trap 'echo int >/int' INT; echo $$ >/pid; echo begun; while :; do sleep 0.1; done"));
            client.awaitStdout("begun");
            client.signal("TERM");
            docker.note("client", client.finish().exitCode());
            container.exec("sh", "-c", "[ -d /proc/$(cat /pid) ] && echo lives; ls /int 2>&1; true");
        });
    }

    @Test
    void backgroundChildrenOutliveTheSession() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            container.exec("sh", "-c", "sleep 100000 </dev/null >/dev/null 2>&1 & echo $! >/pid");
            container.exec("sh", "-c", "cat /proc/$(cat /pid)/comm; grep PPid /proc/$(cat /pid)/status");
        });
    }

    @Test
    void aDetachedSessionGoesOn() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            container.exec(
                    "-d",
                    "--",
                    "sh",
                    "-c",
                    "until [ -e /go ]; do sleep 0.1; done; echo done >/result; id -u >>/result");
            container.exec("touch", "/go");
            Deadline.await(
                    "the result",
                    () -> docker.attempt(container.execArguments("grep", "0", "/result"))
                                    .exitCode()
                            == 0);
            container.exec("cat", "/result");
        });
    }

    @Test
    void aDetachedSessionThatCannotStart() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            Outcome outcome = docker.attempt(container.execArguments("-d", "--", "no-such-command"));
            docker.note("failed", outcome.exitCode() != 0);
            container.exec("echo", "still fine");
        });
    }

    @Test
    void sessionsEndWithTheWorkload() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start(BUSYBOX, "sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done");
            container.awaitLog("ready");
            Running client = docker.openCli(container.execArguments("sh", "-c", "echo begun; exec sleep 100000"));
            client.awaitStdout("begun");
            docker.cli("stop", "-t", "60", container.name());
            docker.note("session", client.finish());
        });
    }

    @Test
    void aSessionWhileTheWorkloadIsStopping() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'echo stopping; until [ -e /may-end ]; do sleep 0.1; done; exit 8' TERM; echo ready; while :; do sleep 0.1; done");
            container.awaitLog("ready");
            Running stop = docker.openCli("stop", "-t", "100", container.name());
            container.awaitLog("stopping");
            container.exec("echo", "in the grace period");
            container.exec("touch", "/may-end");
            docker.note("stop", stop.finish());
            container.finish();
        });
    }

    @Test
    void thereIsNoSessionWithoutARunningWorkload() throws Exception {
        assertSame(docker -> {
            Container created = docker.create(BUSYBOX, "true");
            created.exec(docker.exits(1), "true");
            Container ended = docker.start(BUSYBOX, "true");
            ended.awaitEnd();
            ended.exec(docker.exits(1), "true");
        });
    }

    @Test
    void thereIsNoSessionInAPausedContainer() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            container.exec("true");
            docker.cli("pause", container.name());
            container.exec(docker.exits(1), "true");
            docker.cli("unpause", container.name());
            container.exec("echo", "goes on");
        });
    }

    @Test
    void aSessionMayEndTheWorkload() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX, "sh", "-c", "trap 'echo told; exit 14' USR1; echo ready; while :; do sleep 0.1; done");
            container.awaitLog("ready");
            docker.attempt(container.execArguments("kill", "-USR1", "1"));
            container.finish();
        });
    }

    @Test
    void sessionsCanTalkToEachOther() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker);
            container.exec("mkfifo", "/pipe");
            Running reader = docker.openCli(container.execArguments("cat", "/pipe"));
            container.exec("sh", "-c", "echo from the other session >/pipe");
            docker.note("read", reader.finish());
        });
    }

    @Test
    void whatIsKilledOutsideDoesNotLiveOnInside() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--health-cmd",
                    "sleep 4321",
                    "--health-interval",
                    "1s",
                    "--health-timeout",
                    "1s",
                    "--health-retries",
                    "100",
                    BUSYBOX,
                    "sleep",
                    "100000");
            Deadline.await(
                    "four health checks",
                    () -> container.inspect("{{len .State.Health.Log}}").matches("[4-9].*"));
            // The one under way may be there.
            docker.note("health checks", count(container, "sleep 4321") <= 1 ? "are gone" : "pile up");
            if (docker.runtime().equals(Settings.SUBJECT) && Settings.subjectIsVm()) {
                container.docker().quietly("exec", "-d", container.name(), "sh", "-c", "sleep 8765 & sleep 8765; true");
                Deadline.await("the processes of an exec", () -> count(container, "sleep 8765") == 2);
                Host.run("sh", "-c", "kill -KILL $(pgrep -f 'dkvm-exec.*[8]765')");
                Deadline.await("their end", () -> count(container, "sleep 8765") == 0);
            }
        });
    }

    /** How many processes of the container have these arguments. */
    private static int count(Container container, String arguments) throws Exception {
        String script = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' '";
        String all = container.docker().quietly("exec", container.name(), "sh", "-c", script);
        return all.split(arguments + " (?!&|;)", -1).length - 1;
    }

    @Test
    void aHealthyContainerIsReportedSo() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--health-cmd",
                    "echo fine; [ -e /etc/passwd ]",
                    "--health-interval",
                    "1s",
                    "--health-timeout",
                    "60s",
                    BUSYBOX,
                    "sleep",
                    "100000");
            Deadline.await(
                    "healthy",
                    () -> container
                            .inspect("{{.State.Health.Status}} {{len .State.Health.Log}}")
                            .matches("healthy [3-9].*"));
            docker.note(
                    "last", container.inspect("{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}"));
        });
    }

    @Test
    void anUnhealthyContainerIsReportedSo() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--health-cmd",
                    "echo bad >&2; exit 1",
                    "--health-interval",
                    "1s",
                    "--health-retries",
                    "2",
                    "--health-timeout",
                    "60s",
                    BUSYBOX,
                    "sleep",
                    "100000");
            Deadline.await(
                    "unhealthy",
                    () -> container.inspect("{{.State.Health.Status}}").equals("unhealthy"));
            docker.note(
                    "last", container.inspect("{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}"));
            container.exec("sh", "-c", "while ps | grep -q '[e]xit 1'; do sleep 0.1; done; echo none is left");
        });
    }

    @Test
    void aHealthCheckThatHangsIsEnded() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--health-cmd",
                    "sleep 100000",
                    "--health-interval",
                    "1s",
                    "--health-retries",
                    "1",
                    "--health-timeout",
                    "3s",
                    TOOLS,
                    "sleep",
                    "200000");
            Deadline.await(
                    "unhealthy",
                    () -> container.inspect("{{.State.Health.Status}}").equals("unhealthy"));
            docker.note("exit code", container.inspect("{{with index .State.Health.Log 0}}{{.ExitCode}}{{end}}"));
        });
    }
}
