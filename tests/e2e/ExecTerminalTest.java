// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** {@code docker exec -t}: a terminal of its own for each session. */
@EndToEnd
class ExecTerminalTest {
    private static final String SIZED = "until stty size 2>/dev/null | grep -qv '^0 0$'; do :; done; ";
    private static final String LOOP = "while :; do sleep 0.1; done";

    private static Container sleeper(Docker docker, String image) throws Exception {
        return docker.start(image, "sleep", "100000");
    }

    private static Terminal terminal(Docker docker, int rows, int columns, Container container, String... command)
            throws Exception {
        return docker.terminalCli(rows, columns, container.execArguments(command));
    }

    @Test
    void theInitialSizeIsTheClients() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                terminal(docker, 31, 97, sleeper(docker, BUSYBOX), "-t", "--", "sh", "-c", SIZED + "stty size")
                        .finish()));
    }

    @Test
    void aNewSizeArrivesWithItsSignal() throws Exception {
        assertSame(docker -> {
            Terminal terminal = terminal(
                    docker,
                    24,
                    80,
                    sleeper(docker, BUSYBOX),
                    "-it",
                    "--",
                    "sh",
                    "-c",
                    SIZED + "trap 'echo now $(stty size)' WINCH; echo ready; " + LOOP);
            terminal.await("ready");
            terminal.resizeUntil(48, 160, "now 48 160");
            terminal.resizeUntil(12, 40, "now 12 40");
        });
    }

    @Test
    void aFullScreenEditorIsRedrawnAtItsNewSize() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            Terminal terminal =
                    terminal(docker, 24, 80, container, "-it", "--", "sh", "-c", SIZED + "exec vi /tmp/note");
            // The status line is the screen's last.
            terminal.await("\u001b[24;1H");
            terminal.resizeUntil(31, 100, "\u001b[31;1H");
            terminal.type("iwritten here");
            terminal.await("here");
            // Escape and what follows at once would be one key: the status line tells when it was taken.
            terminal.type("\u001b");
            terminal.await("- /tmp/note [");
            terminal.enter(":wq");
            docker.note("editor", terminal.finish().exitCode());
            container.exec("cat", "/tmp/note");
        });
    }

    @Test
    void streamsTermAndModesAreTheTerminals() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                terminal(
                                docker,
                                24,
                                80,
                                sleeper(docker, TOOLS),
                                "-it",
                                "--",
                                "sh",
                                "-c",
                                "for i in 0 1 2; do [ -t $i ] && echo terminal $i; done; tty | sed 's/[0-9]/N/'; echo $TERM; "
                                        + SIZED + "stty -a")
                        .finish()));
    }

    @Test
    void termMayBeGiven() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                terminal(
                                docker,
                                24,
                                80,
                                sleeper(docker, BUSYBOX),
                                "-it",
                                "-e",
                                "TERM=vt100",
                                "--",
                                "sh",
                                "-c",
                                "echo $TERM")
                        .finish()));
    }

    @Test
    void controlCInterruptsAndTheCodeComesBack() throws Exception {
        assertSame(docker -> {
            Terminal terminal = terminal(
                    docker, 24, 80, sleeper(docker, BUSYBOX), "-it", "--", "sh", "-c", "echo ready; exec sleep 100000");
            terminal.await("ready");
            terminal.control('C');
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void controlDEndsTheShell() throws Exception {
        assertSame(docker -> {
            Terminal terminal = shell(docker, sleeper(docker, DEBIAN));
            terminal.enter("false");
            terminal.await("prompt> ", 2);
            terminal.control('D');
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    @Test
    void aScriptDrivesAShell() throws Exception {
        assertSame(docker -> {
            Terminal terminal = shell(docker, sleeper(docker, DEBIAN));
            for (int i = 0; i < 10; i++) {
                terminal.enter("echo $((" + i + " * 111))");
                terminal.await("\n" + i * 111 + "\r\n");
            }
            terminal.enter("exit 66");
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    @Test
    void jobsAreControlled() throws Exception {
        assertSame(docker -> {
            Terminal terminal = shell(docker, sleeper(docker, DEBIAN));
            terminal.enter("sh -c 'echo job\\ runs; exec sleep 100000'");
            terminal.await("job runs\r\n");
            terminal.control('Z');
            terminal.await("Stopped");
            terminal.enter("bg >/dev/null; kill %1; wait %1; echo code $?");
            terminal.await("code 143");
            terminal.enter("exit 5");
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    @Test
    void sessionsHaveTerminalsOfTheirOwn() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, DEBIAN);
            Terminal one = shell(docker, container);
            Terminal two = shell(docker, container);
            one.enter("stty size; tty >/one");
            two.enter("until [ \"$(stty size)\" = '10 30' ]; do :; done; tty >/two; echo resized");
            two.resizeUntil(10, 30, "\nresized");
            one.enter("[ \"$(stty size)\" = '24 80' ] && echo unmoved");
            one.await("\nunmoved");
            container.exec("sh", "-c", "[ -s /one ] && [ -s /two ] && ! cmp -s /one /two && echo different");
            one.enter("exit 1");
            docker.note("first", one.finish().exitCode());
            two.enter("echo alive; exit 2");
            two.await("\nalive");
            docker.note("second", two.finish().exitCode());
        });
    }

    @Test
    void detachKeysLeaveTheSessionRunning() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            Terminal terminal =
                    terminal(docker, 24, 80, container, "-it", "--", "sh", "-c", "echo $$ >/pid; echo ready; " + LOOP);
            terminal.await("ready");
            terminal.control('P');
            terminal.control('Q');
            Outcome outcome = terminal.finish();
            docker.note("exit code", outcome.exitCode());
            container.exec("sh", "-c", "[ -d /proc/$(cat /pid) ] && echo lives");
        });
    }

    @Test
    void theProcessMeetsTheEndOfItsClientAsUnderTheReference() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            Terminal terminal = terminal(
                    docker,
                    24,
                    80,
                    container,
                    "-it",
                    "--",
                    "sh",
                    "-c",
                    "trap 'echo hup >/hup; exit' HUP; echo $$ >/pid; echo ready; " + LOOP);
            terminal.await("ready");
            terminal.close();
            for (int i = 0; i < 5; i++) {
                docker.attempt(container.execArguments("true"));
            }
            container.exec("sh", "-c", "[ -d /proc/$(cat /pid) ] && echo lives; cat /hup 2>&1; true");
        });
    }

    @Test
    void aTerminalInAContainerWithATerminal() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-t", BUSYBOX, "sh", "-c", "tty; echo ready; sleep 100000");
            container.awaitLog("ready");
            docker.note(
                    "screen",
                    terminal(
                                    docker,
                                    24,
                                    80,
                                    container,
                                    "-it",
                                    "--",
                                    "sh",
                                    "-c",
                                    "echo second; [ \"$(tty)\" != /dev/pts/0 ] && echo other")
                            .finish());
        });
    }

    @Test
    void aMissingCommandOnATerminal() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                terminal(docker, 24, 80, sleeper(docker, BUSYBOX), "-it", "--", "no-such-command")
                        .finish()));
    }

    @Test
    void anotherUserOwnsItsTerminal() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                terminal(
                                docker,
                                24,
                                80,
                                sleeper(docker, TOOLS),
                                "-it",
                                "-u",
                                "1000",
                                "--",
                                "sh",
                                "-c",
                                "id -u; stat -c '%u %a' $(tty); echo opened >$(tty)")
                        .finish()));
    }

    @Test
    void aHundredKilobytesReachTheScreen() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                terminal(docker, 24, 80, sleeper(docker, BUSYBOX), "-it", "--", "seq", "1", "20000")
                        .finish()));
    }

    private static Terminal shell(Docker docker, Container container) throws Exception {
        Terminal terminal = terminal(
                docker,
                24,
                80,
                container,
                "-it",
                "-e",
                "PS1=prompt> ",
                "-e",
                "TERM=dumb",
                "--",
                "bash",
                "--norc",
                "--noprofile");
        terminal.await("prompt> ");
        return terminal;
    }
}
