// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** {@code -t} gives the workload a real terminal: size, keys, modes, jobs. */
@EndToEnd
class TerminalTest {
    /** The client sets the size just after the start: a script that needs it waits until it is there. */
    private static final String SIZED = "until stty size 2>/dev/null | grep -qv '^0 0$'; do :; done; ";

    private static final String LOOP = "while :; do sleep 0.1; done";

    @Test
    void theInitialSizeIsTheClients() throws Exception {
        Transcript seen = assertSame(docker -> docker.note(
                "screen",
                docker.terminal(43, 132, "-t", BUSYBOX, "sh", "-c", SIZED + "stty size")
                        .finish()));
        assertThat(seen.first().text()).contains("43 132");
    }

    @Test
    void aNewSizeArrivesWithItsSignal() throws Exception {
        assertSame(docker -> {
            Terminal terminal = docker.terminal(
                    24,
                    80,
                    "-t",
                    BUSYBOX,
                    "sh",
                    "-c",
                    SIZED + "trap 'echo now $(stty size)' WINCH; echo ready; " + LOOP);
            terminal.await("ready");
            terminal.resizeUntil(50, 200, "now 50 200");
            terminal.resizeUntil(5, 20, "now 5 20");
            terminal.close();
        });
    }

    @Test
    void allThreeStreamsAreTheTerminal() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                docker.terminal(
                                24,
                                80,
                                "-it",
                                TOOLS,
                                "python3",
                                "-c",
                                "import os; print([os.ttyname(i) for i in (0, 1, 2)], os.isatty(0), os.path.exists('/dev/console'))")
                        .finish()));
    }

    @Test
    void linesEndWithCarriageReturnAndNewline() throws Exception {
        Transcript seen = assertSame(docker -> docker.note(
                "screen",
                docker.terminal(24, 80, "-it", BUSYBOX, "printf", "a\\nb\\n").finish()));
        assertThat(seen.first().stdout()).isEqualTo(Bytes.of("a\r\nb\r\n"));
    }

    @Test
    void stderrComesOnTheSameScreen() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                docker.terminal(24, 80, "-t", BUSYBOX, "sh", "-c", "echo one; echo two >&2; echo three")
                        .finish()));
    }

    @Test
    void termIsSetForATerminalOnly() throws Exception {
        assertSame(docker -> {
            docker.note(
                    "with",
                    docker.terminal(24, 80, "-t", BUSYBOX, "sh", "-c", "echo TERM=$TERM")
                            .finish());
            docker.note(
                    "given",
                    docker.terminal(24, 80, "-t", "-e", "TERM=vt220", BUSYBOX, "sh", "-c", "echo TERM=$TERM")
                            .finish());
            docker.run(BUSYBOX, "sh", "-c", "echo TERM=${TERM-none}");
        });
    }

    @Test
    void theModesAreThoseOfANewTerminal() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                docker.terminal(24, 80, "-it", DEBIAN, "sh", "-c", SIZED + "stty -a")
                        .finish()));
    }

    @Test
    void typedTextIsEchoedAndRead() throws Exception {
        assertSame(docker -> {
            Terminal terminal =
                    docker.terminal(24, 80, "-it", BUSYBOX, "sh", "-c", "echo ready; read line; echo \"<$line>\"");
            terminal.await("ready");
            terminal.enter("wörld ✓");
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void controlCInterruptsTheForegroundProgram() throws Exception {
        assertSame(docker -> {
            Terminal terminal = docker.terminal(
                    24, 80, "-it", BUSYBOX, "sh", "-c", "trap 'echo interrupted; exit 5' INT; echo ready; " + LOOP);
            terminal.await("ready");
            terminal.control('C');
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void controlDEndsTheInput() throws Exception {
        assertSame(docker -> {
            Terminal terminal = docker.terminal(24, 80, "-it", BUSYBOX, "sh", "-c", "echo ready; cat; echo end");
            terminal.await("ready");
            terminal.enter("line");
            terminal.await("line\r\nline");
            terminal.control('D');
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void controlBackslashQuits() throws Exception {
        String script = """
                import os, signal
                signal.signal(signal.SIGQUIT, lambda *a: (os.write(1, b"quit\\n"), os._exit(6)))
                os.write(1, b"ready\\n")
                while True: signal.pause()
                """;
        assertSame(docker -> {
            Terminal terminal = docker.terminal(24, 80, "-it", TOOLS, "python3", "-c", script);
            terminal.await("ready");
            terminal.control('\\');
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void rawModeGivesEveryKeyAtOnce() throws Exception {
        String script = """
                import os, sys, termios, tty
                tty.setraw(0)
                os.write(1, b'ready\\r\\n')
                keys = b''
                while len(keys) < 6:
                    keys += os.read(0, 1)
                os.write(1, keys.hex().encode() + b'\\r\\n')
                """;
        assertSame(docker -> {
            Terminal terminal = docker.terminal(24, 80, "-it", TOOLS, "python3", "-c", script);
            terminal.await("ready");
            terminal.type("\u0003\u001b[A\r\u007f");
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void withoutEchoAPasswordStaysUnseen() throws Exception {
        assertSame(docker -> {
            Terminal terminal = docker.terminal(
                    24, 80, "-it", BUSYBOX, "sh", "-c", "stty -echo; echo ready; read p; stty echo; echo got ${#p}");
            terminal.await("ready");
            terminal.enter("secret");
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void anInteractiveShellAnswersAndEndsWithExit() throws Exception {
        assertSame(docker -> {
            Terminal terminal = shell(docker);
            terminal.enter("echo sum $((40+2))");
            terminal.await("sum 42");
            terminal.enter("exit 17");
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    @Test
    void aShellControlsItsJobs() throws Exception {
        assertSame(docker -> {
            Terminal terminal = shell(docker);
            terminal.enter("sleep 1000");
            Deadline.await(
                    "the job in the foreground", () -> terminal.soFar().latin1().contains("sleep 1000"));
            stop(terminal);
            terminal.enter("jobs -s | sed 's/ .*Stopped/ is stopped:/'");
            terminal.await("is stopped:");
            terminal.enter("bg; jobs -r | grep -c Running");
            terminal.await("\n1\r\n");
            terminal.enter("kill %1; wait %1; echo code $?");
            terminal.await("code 143");
            terminal.enter("exit");
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    /** Presses Ctrl-Z until the shell says that the job stopped: before the job runs, the key goes to the shell. */
    private static void stop(Terminal terminal) throws Exception {
        Deadline.await("the shell says Stopped", () -> {
            terminal.control('Z');
            Thread.sleep(300);
            return terminal.soFar().latin1().contains("Stopped");
        });
    }

    @Test
    void controlCEndsTheJobAndNotTheShell() throws Exception {
        assertSame(docker -> {
            Terminal terminal = shell(docker);
            terminal.enter("sh -c 'echo job\\ runs; exec sleep 1000'");
            terminal.await("job runs\r\n");
            terminal.control('C');
            terminal.enter("echo code $?");
            terminal.await("code 130");
            terminal.enter("exit 3");
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    private static Terminal shell(Docker docker) throws Exception {
        Terminal terminal = docker.terminal(
                24, 80, "-it", "-e", "PS1=prompt> ", "-e", "TERM=dumb", DEBIAN, "bash", "--norc", "--noprofile");
        terminal.await("prompt> ");
        return terminal;
    }

    @Test
    void theWorkloadLeadsItsSessionAndOwnsTheTerminal() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                docker.terminal(24, 80, "-it", TOOLS, "ps", "-o", "pid,ppid,pgid,sid,tpgid,tty,comm")
                        .finish()));
    }

    @Test
    void theControllingTerminalCanBeOpened() throws Exception {
        assertSame(docker -> docker.note(
                "screen",
                docker.terminal(
                                24,
                                80,
                                "-it",
                                BUSYBOX,
                                "sh",
                                "-c",
                                "echo to tty >/dev/tty; tty; echo to console >/dev/console")
                        .finish()));
    }

    @Test
    void twoHundredKilobytesReachTheScreen() throws Exception {
        Transcript seen = assertSame(docker -> docker.note(
                "screen",
                docker.terminal(24, 80, "-t", BUSYBOX, "seq", "1", "30000").finish()));
        assertThat(seen.first().text()).endsWith("30000");
    }

    @Test
    void aLongPasteArrivesWhole() throws Exception {
        StringBuilder paste = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            paste.append("line number ").append(i).append(" of the paste\r");
        }
        assertSame(docker -> {
            Terminal terminal = docker.terminal(
                    24, 80, "-it", BUSYBOX, "sh", "-c", "stty -echo; echo ready; head -n 200 | sha256sum");
            terminal.await("ready");
            terminal.type(paste.toString());
            docker.note("screen", terminal.finish());
        });
    }

    @Test
    void aFullScreenProgramRedrawsAfterResize() throws Exception {
        assertSame(docker -> {
            Terminal terminal = docker.terminal(24, 80, "-it", BUSYBOX, "sh", "-c", SIZED + "vi /etc/passwd");
            terminal.await("\u001b[24;1H");
            terminal.resize(40, 100);
            // The status line moves to the new last line; a key makes vi look at the size.
            Deadline.await("vi draws on line 40", () -> {
                terminal.type("j");
                return terminal.soFar().latin1().contains("\u001b[40;1H");
            });
            terminal.enter(":q!");
            docker.note("exit code", terminal.finish().exitCode());
        });
    }

    @Test
    void aTerminalWithoutInteractiveTakesNoKeys() throws Exception {
        assertSame(docker -> {
            Terminal terminal =
                    docker.terminal(24, 80, "-t", BUSYBOX, "sh", "-c", "echo ready; read -t 1 line; echo \"<$line>\"");
            terminal.await("ready");
            terminal.enter("unheard");
            docker.note("exit code", terminal.finish().exitCode());
            docker.note("heard", terminal.soFar().latin1().contains("<unheard>"));
        });
    }

    @Test
    void theClientNeedsATerminalForIt() throws Exception {
        assertSame(docker -> docker.exits(1).run("-it", BUSYBOX, "true"));
    }

    @Test
    void aDetachedTerminalLogsWithCarriageReturns() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-t", BUSYBOX, "sh", "-c", "echo one; echo two >&2");
            container.finish();
        });
    }
}
