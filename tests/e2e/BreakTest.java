// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DKVM_BREAK: a person at the container's terminal looks around in the sandbox while it is started. */
@EndToEnd
class BreakTest {
    private static final int ROWS = 24;
    private static final int COLUMNS = 80;

    @Test
    void aShellAtEachPointAndThenTheWorkload() throws Exception {
        onVm(docker -> {
            Terminal terminal = docker.terminal(
                    ROWS, COLUMNS, "-it", "-e", "DKVM_BREAK=preqemu,prenet,postnet", BUSYBOX, "sh", "-c", """
                    read line; echo "<$line>"; stty size; exit 7""");
            terminal.await("dkvm prenet# ");
            terminal.enter("ls /sys/class/net | wc -l; ls -d /share/root/bin");
            terminal.await("2\r\n/share/root/bin\r\n");
            terminal.await("dkvm prenet# ", 2);
            // Line editing, and the terminal's size.
            terminal.enter("echo wrogn\u007f\u007fng");
            terminal.await("wrong\r\n");
            // Docker's client may miss one change.
            Deadline.await("the new size in the shell", () -> {
                terminal.resize(41, 100);
                terminal.resize(40, 100);
                terminal.enter("stty size");
                Thread.sleep(200);
                return terminal.soFar().latin1().contains("40 100\r\n");
            });
            interrupt(terminal);
            terminal.enter("exit 3");

            terminal.await("dkvm postnet# ");
            terminal.enter("ls /sys/class/net | wc -l");
            terminal.await("3\r\n");
            terminal.await("dkvm postnet# ", 2);
            terminal.control('D');

            terminal.await("dkvm preqemu# ");
            terminal.enter("exit\rfor the workload");
            Outcome outcome = terminal.finish();
            assertThat(outcome.stdout().latin1()).contains("<for the workload>\r\n40 100\r\n");
            assertThat(outcome.exitCode()).isEqualTo(7);
        });
    }

    /** Presses Ctrl-C until the job is gone: before it runs, the key goes to the line that is being typed. */
    private static void interrupt(Terminal terminal) throws Exception {
        terminal.enter("echo a job ru''ns; sleep 1000; echo code $?");
        terminal.await("a job runs\r\n");
        Deadline.await("the end of the job", () -> {
            terminal.control('C');
            Thread.sleep(300);
            terminal.enter("echo still he''re");
            Thread.sleep(300);
            return terminal.soFar().latin1().contains("still here\r\n");
        });
    }

    @ParameterizedTest
    @CsvSource({"stop, 143", "kill, 137"})
    void aContainerThatEndsInTheShellLeavesNothing(String command, String code) throws Exception {
        onVm(docker -> {
            Container container = docker.start("-it", "-e", "DKVM_BREAK=preqemu", BUSYBOX, "true");
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            // A line that has not ended is not in the log.
            container.awaitLog("at \"preqemu\" of the launch");
            sandbox.find("virtiofsd");
            docker.quietly(command, container.name());
            container.awaitEnd();
            assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo(code);
            sandbox.assertGone();
        });
    }

    @Test
    void whoHoldsTheTerminalMayGoAndComeBack() throws Exception {
        onVm(docker -> {
            String name = docker.name();
            Terminal first = docker.terminalNamed(
                    name, ROWS, COLUMNS, "-it", "-e", "DKVM_BREAK=preqemu", BUSYBOX, "echo", "it goes on");
            first.await("dkvm preqemu# ");
            Running.complete(List.of("/bin/kill", "-KILL", String.valueOf(first.pid())), Bytes.of(""));
            first.close();
            Terminal second = docker.terminalCli(ROWS, COLUMNS, "attach", name);
            Deadline.await("the end", () -> {
                second.enter("exit");
                Thread.sleep(300);
                return second.soFar().latin1().contains("it goes on");
            });
        });
    }

    @Test
    void withoutATerminalItIsRefused() throws Exception {
        onVm(docker -> {
            List<String> command = docker.runCommand(docker.name(), "-i", "-e", "DKVM_BREAK=prenet", BUSYBOX, "true");
            Outcome outcome = docker.attempt(command.subList(1, command.size()).toArray(String[]::new));
            assertThat(outcome.exitCode()).isEqualTo(125);
            assertThat(outcome.errors())
                    .contains("option \"DKVM_BREAK\" needs a terminal; give \"docker run\" the option -it");
        });
    }
}
