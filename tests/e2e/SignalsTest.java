// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Signals reach the workload, each as itself, and nothing but the workload decides what they do. */
@EndToEnd
class SignalsTest {
    // By write(2): a signal inside a buffered print would be an error of Python.
    private static final String REPORT_ALL = """
            import os, signal, time
            def report(number, frame):
                os.write(1, b"signal %d\\n" % number)
            for number in signal.valid_signals():
                if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
                    signal.signal(number, report)
            os.write(1, b"ready\\n")
            while True:
                time.sleep(1)
            """;

    private static final String LOOP = "while :; do sleep 0.1; done";

    @Test
    void everySignalByNameArrives() throws Exception {
        List<String> names = List.of(
                "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
                "TERM", "CONT", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR",
                "SYS", "SIGUSR1", "RTMIN", "RTMIN+3", "RTMAX-1", "RTMAX", "10", "37");
        assertSame(docker -> {
            Container container = docker.start(TOOLS, "python3", "-c", REPORT_ALL);
            container.awaitLog("ready");
            for (int i = 0; i < names.size(); i++) {
                docker.cli("kill", "-s", names.get(i), container.name());
                awaitReports(container, i + 1);
            }
            docker.cli("kill", container.name());
            container.finish();
        });
    }

    private static void awaitReports(Container container, int count) throws Exception {
        Deadline.await("signal number " + count + " in the log of " + container.name(), () -> {
            long reports =
                    container.log().lines().filter(l -> l.startsWith("signal ")).count();
            if (reports < count && !container.running()) {
                throw new AssertionError("the container ended: " + container.log());
            }
            return reports >= count;
        });
    }

    @Test
    void theWorkloadStopsAndGoesOn() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("kill", "-s", "STOP", container.name());
            awaitState(docker, container, true);
            docker.cli("kill", "-s", "CONT", container.name());
            awaitState(docker, container, false);
            docker.cli("kill", "-s", "SIGSTOP", container.name());
            awaitState(docker, container, true);
            docker.cli("kill", container.name());
            container.finish();
        });
    }

    private static void awaitState(Docker docker, Container container, boolean stopped) throws Exception {
        Deadline.await(
                "the first process to be " + (stopped ? "stopped" : "running"),
                () -> docker.attempt("exec", container.name(), "grep", "State", "/proc/1/status")
                                .text()
                                .contains("T (stopped)")
                        == stopped);
    }

    @Test
    void killEndsItWith137() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("kill", container.name());
            container.finish();
        });
    }

    @Test
    void aSignalWithoutHandlerDoesNotEndTheFirstProcess() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start(BUSYBOX, "sh", "-c", "trap 'echo told; exit 3' USR1; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("kill", "-s", "TERM", container.name());
            docker.cli("kill", "-s", "HUP", container.name());
            docker.cli("kill", "-s", "USR1", container.name());
            container.finish();
        });
    }

    @Test
    void underAnInitADefaultSignalEndsTheWorkload() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--init", BUSYBOX, "sh", "-c", "echo ready; exec sleep 1000");
            container.awaitLog("ready");
            docker.cli("kill", "-s", "TERM", container.name());
            container.finish();
        });
    }

    @Test
    void onlyTheFirstProcessGetsTheSignal() throws Exception {
        String child = "(trap 'echo child' USR1; echo child ready; " + LOOP + ") & ";
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX, "sh", "-c", child + "trap 'echo parent; kill -KILL $!; exit 0' USR1; echo ready; " + LOOP);
            container.awaitLog("child ready");
            container.awaitLog("ready\n");
            docker.cli("kill", "-s", "USR1", container.name());
            container.awaitEnd();
            docker.note("parent", container.log().contains("parent"));
            docker.note("child", container.log().contains("child\n"));
        });
    }

    @Test
    void stopSendsTermAndTheHandlersCodeCounts() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start(BUSYBOX, "sh", "-c", "trap 'echo ending; exit 21' TERM; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("stop", "-t", "60", container.name());
            container.finish();
        });
    }

    @Test
    void stopSendsTheStopSignalOfTheImage() throws Exception {
        assertSame(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nSTOPSIGNAL SIGUSR2\n");
            Container container =
                    docker.start(image, "sh", "-c", "trap 'echo usr2; exit 22' USR2; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("stop", "-t", "60", container.name());
            container.finish();
        });
    }

    @Test
    void stopSendsTheStopSignalOfTheOption() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--stop-signal",
                    "RTMIN+3",
                    TOOLS,
                    "python3",
                    "-c",
                    REPORT_ALL.replace("frame):", "frame):\n    if number == 37: os._exit(23)"));
            container.awaitLog("ready");
            docker.cli("stop", "-t", "60", container.name());
            container.finish();
        });
    }

    @Test
    void theWorkloadHasItsWholeGracePeriod() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX, "sh", "-c", "trap 'echo saving; sleep 4; echo saved; exit 24' TERM; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("stop", "-t", "60", container.name());
            container.finish();
        });
    }

    @Test
    void whatIgnoresTheStopIsKilled() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "trap '' TERM; echo ready; " + LOOP);
            container.awaitLog("ready");
            docker.cli("stop", "-t", "1", container.name());
            container.finish();
        });
    }

    @Test
    void interruptOfTheClientIsPassedOn() throws Exception {
        assertSame(docker -> {
            Running client =
                    docker.open(BUSYBOX, "sh", "-c", "trap 'echo interrupted; exit 25' INT; echo ready; " + LOOP);
            client.awaitStdout("ready");
            client.signal("INT");
            docker.note("end", client.finish());
        });
    }

    @Test
    void severalSignalsOfTheClientArePassedOn() throws Exception {
        assertSame(docker -> {
            Running client = docker.open(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'echo hup' HUP; trap 'echo usr1' USR1; trap 'echo term; exit 26' TERM; echo ready; " + LOOP);
            client.awaitStdout("ready");
            client.signal("HUP");
            client.awaitStdout("hup");
            client.signal("USR1");
            client.awaitStdout("usr1");
            client.signal("TERM");
            docker.note("end", client.finish());
        });
    }

    @Test
    void withoutProxyTheClientEndsAlone() throws Exception {
        assertSame(docker -> {
            String name = docker.name();
            Running client = docker.openNamed(name, "--sig-proxy=false", BUSYBOX, "sh", "-c", "echo ready; " + LOOP);
            client.awaitStdout("ready");
            client.signal("KILL");
            client.finish();
            docker.note("running", docker.quietly("inspect", "-f", "{{.State.Running}}", name));
        });
    }

    @Test
    void aStoppedContainerTakesNoSignal() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "true");
            container.awaitEnd();
            docker.exits(1).cli("kill", "-s", "HUP", container.name());
        });
    }

    @Test
    void anUnknownSignalIsRefused() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sleep", "1000");
            docker.exits(1).cli("kill", "-s", "NOSUCH", container.name());
            docker.cli("rm", "-f", container.name());
        });
    }

    @Test
    void aWorkloadMaySignalItsChildren() throws Exception {
        assertSame(docker -> docker.run(
                BUSYBOX,
                "sh",
                "-c",
                "sleep 1000 & kill -USR1 $!; wait $!; echo $?; sleep 1000 & kill $!; wait $!; echo $?"));
    }

    @Test
    void signalsStartOutUnblockedAndDefault() throws Exception {
        assertSame(docker -> docker.run(BUSYBOX, "grep", "-E", "^(SigBlk|SigIgn|SigCgt|ShdPnd)", "/proc/self/status"));
    }

    @Test
    void stopAndContinueOfAChildAreSeen() throws Exception {
        String script = """
                import os, signal, time
                child = os.fork()
                if child == 0:
                    while True: time.sleep(1)
                os.kill(child, signal.SIGSTOP)
                print(os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]))
                os.kill(child, signal.SIGCONT)
                print(os.WIFCONTINUED(os.waitpid(child, os.WCONTINUED)[1]))
                os.kill(child, signal.SIGKILL)
                print(os.WTERMSIG(os.waitpid(child, 0)[1]))
                """;
        assertSame(docker -> docker.run(TOOLS, "python3", "-c", script));
    }
}
