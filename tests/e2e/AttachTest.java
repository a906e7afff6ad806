// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;

import org.junit.jupiter.api.Test;

/** {@code docker attach} and {@code docker start -a}: several, from the middle, with detach keys and without. */
@EndToEnd
class AttachTest {
    private static final String LOOP = "while :; do sleep 0.1; done";
    private static final String ECHO =
            "while read line; do echo \"heard $line\"; [ \"$line\" = end ] && exit 4; done; echo eof";

    /** Repeats a word on demand of a signal, so that a client knows that it is attached. */
    private static final String ON_SIGNAL = "trap 'echo tick' USR1; trap 'echo over; exit 5' USR2; echo ready; " + LOOP;

    private static void awaitTick(Docker docker, Container container, Running client) throws Exception {
        Deadline.await("the client is attached", () -> {
            docker.quietly("kill", "-s", "USR1", container.name());
            Thread.sleep(100);
            return client.stdoutSoFar().contains("tick");
        });
    }

    @Test
    void theClientSeesWhatComesAndTheExitCode() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", ON_SIGNAL);
            container.awaitLog("ready");
            Running client = docker.openCli("attach", container.name());
            awaitTick(docker, container, client);
            docker.quietly("kill", "-s", "USR2", container.name());
            Outcome outcome = client.finish();
            docker.note("exit code", outcome.exitCode());
            docker.note("the end was seen", outcome.text().endsWith("over"));
            docker.note("stderr", outcome.errors());
        });
    }

    @Test
    void severalClientsSeeTheSame() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", ON_SIGNAL);
            container.awaitLog("ready");
            Running one = docker.openCli("attach", container.name());
            Running two = docker.openCli("attach", "--no-stdin", container.name());
            awaitTick(docker, container, one);
            awaitTick(docker, container, two);
            docker.quietly("kill", "-s", "USR2", container.name());
            docker.note("first", one.finish().text().endsWith("over"));
            docker.note("second", two.finish().text().endsWith("over"));
        });
    }

    @Test
    void stdinGoesToTheWorkload() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-i", BUSYBOX, "sh", "-c", ECHO);
            Running client = docker.openCli("attach", container.name());
            client.write("one\n");
            client.awaitStdout("heard one");
            client.write("end\n");
            docker.note("client", client.finish());
        });
    }

    @Test
    void stdinStaysOpenForTheNextClient() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-i", BUSYBOX, "sh", "-c", ECHO);
            Running first = docker.openCli("attach", container.name());
            first.write("one\n");
            first.awaitStdout("heard one");
            first.signal("KILL");
            first.finish();
            Running second = docker.openCli("attach", container.name());
            second.write("end\n");
            second.awaitStdout("heard end");
            docker.note("exit code", second.finish().exitCode());
            container.finish();
        });
    }

    @Test
    void stdinEndsWithItsFirstClientWhenAttachedAtTheStart() throws Exception {
        assertSame(docker -> docker.note("all", docker.stdin("one\ntwo\n").run("-i", BUSYBOX, "sh", "-c", ECHO)));
    }

    @Test
    void theClientsSignalIsPassedOn() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", ON_SIGNAL);
            container.awaitLog("ready");
            Running client = docker.openCli("attach", container.name());
            awaitTick(docker, container, client);
            client.signal("USR2");
            docker.note("exit code", client.finish().exitCode());
        });
    }

    @Test
    void withoutProxyTheSignalEndsTheClientOnly() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", ON_SIGNAL);
            container.awaitLog("ready");
            Running client = docker.openCli("attach", "--sig-proxy=false", container.name());
            awaitTick(docker, container, client);
            client.signal("KILL");
            client.finish();
            docker.note("running", container.running());
        });
    }

    @Test
    void detachKeysLeaveTheWorkloadRunning() throws Exception {
        assertSame(docker -> {
            String name = docker.name();
            Terminal terminal = docker.terminalNamed(name, 24, 80, "-it", BUSYBOX, "sh", "-c", "echo ready; " + ECHO);
            terminal.await("ready");
            terminal.control('P');
            terminal.control('Q');
            docker.note("client", terminal.finish().exitCode());
            docker.note("running", docker.quietly("inspect", "-f", "{{.State.Running}}", name));
            Terminal again = docker.terminalCli(24, 80, "attach", name);
            again.enter("back");
            again.await("heard back");
            again.enter("end");
            docker.note("exit code", again.finish().exitCode());
        });
    }

    @Test
    void otherDetachKeys() throws Exception {
        assertSame(docker -> {
            String name = docker.name();
            Terminal terminal = docker.terminalNamed(
                    name, 24, 80, "-it", "--detach-keys", "ctrl-a,x", BUSYBOX, "sh", "-c", "echo ready; " + ECHO);
            terminal.await("ready");
            terminal.control('A');
            terminal.type("x");
            docker.note("client", terminal.finish().exitCode());
            docker.note("running", docker.quietly("inspect", "-f", "{{.State.Running}}", name));
        });
    }

    @Test
    void aNewClientsTerminalSetsTheSize() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start("-it", BUSYBOX, "sh", "-c", "trap 'echo now $(stty size)' WINCH; echo ready; " + LOOP);
            container.awaitLog("ready");
            Terminal terminal = docker.terminalCli(33, 111, "attach", container.name());
            terminal.await("now 33 111");
            docker.note("size", "33 111");
        });
    }

    @Test
    void aShellIsStillThereAfterReattaching() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-it", "-e", "PS1=prompt> ", DEBIAN, "bash", "--norc", "--noprofile");
            Terminal first = docker.terminalCli(24, 80, "attach", container.name());
            first.enter("cd /usr; value=kept");
            first.enter("echo value is $value");
            first.await("value is kept");
            first.control('P');
            first.control('Q');
            docker.note("detached", first.finish().exitCode());
            Terminal second = docker.terminalCli(24, 80, "attach", container.name());
            second.enter("echo again $value in $PWD; exit 9");
            second.await("again kept in /usr");
            docker.note("exit code", second.finish().exitCode());
        });
    }

    @Test
    void startAttachesAndGivesTheExitCode() throws Exception {
        assertSame(docker -> {
            Container container = docker.create(BUSYBOX, "sh", "-c", "echo out; echo err >&2; exit 6");
            docker.exits(6).cli("start", "-a", container.name());
            docker.exits(6).cli("start", "-a", container.name());
        });
    }

    @Test
    void startInteractivelyPassesStdin() throws Exception {
        assertSame(docker -> {
            Container container = docker.create("-i", BUSYBOX, "sha256sum");
            docker.stdin("some input").cli("start", "-ai", container.name());
            docker.stdin("other input").cli("start", "-ai", container.name());
        });
    }

    @Test
    void startOnATerminal() throws Exception {
        assertSame(docker -> {
            Container container = docker.create("-it", BUSYBOX, "sh", "-c", "echo ready; read a; echo got $a; exit 7");
            Terminal terminal = docker.terminalCli(24, 80, "start", "-ai", container.name());
            terminal.await("ready");
            terminal.enter("keys");
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void aStoppedContainerCanNotBeAttached() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "true");
            container.awaitEnd();
            docker.exits(1).cli("attach", container.name());
        });
    }
}
