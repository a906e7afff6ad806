// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.dkvm.agent.FrameType;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.dkvm.monitor.program.ProgramStart;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A sandbox whose VM has a screen. */
@Timeout(60)
class ScreenTest {
    private final TestSandbox sandbox;
    private final Path directory;

    ScreenTest(@TempDir Path directory) throws Exception {
        this.directory = directory;
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    private static String password(VncPassword password, OneAnswer programs) throws DkvmException {
        SandboxMounts mounts = new SandboxMounts(
                List.of(),
                password.file().isEmpty()
                        ? Map.of()
                        : Map.of(password.file(), new SandboxFile("/share/1", password.file())));
        return new Screen(new Display(DisplayMode.VNC, Vga.VIRTIO, 0, password), mounts)
                .password(programs)
                .orElseThrow();
    }

    private static String refusal(int exitCode, String words) {
        try {
            return password(new VncPassword("", "/vnc"), new OneAnswer(exitCode, words));
        } catch (DkvmException e) {
            return e.text();
        }
    }

    @Test
    void thePasswordMayBeAnOption() throws Exception {
        assertThat(password(new VncPassword("sesame", ""), new OneAnswer(1, "")))
                .isEqualTo("sesame");
    }

    @ParameterizedTest
    @CsvSource({"'open\r',open", "open,open", "a b,a b"})
    void thePasswordIsWhatDkvmDiskReads(String line, String password) throws Exception {
        OneAnswer programs = new OneAnswer(0, line);
        assertThat(password(new VncPassword("", "/vnc"), programs)).isEqualTo(password);
        assertThat(programs.started()).singleElement().satisfies(start -> {
            assertThat(start.kind()).isEqualTo(ProgramStart.Kind.DISKS);
            assertThat(start.argv()).containsExactly("/opt/dkvm/dkvm-disk", "line", "/share/1", "/vnc");
        });
    }

    @Test
    void aFileWithoutAPasswordThatCountsIsRefused() {
        assertThat(refusal(0, "")).contains("\"/vnc\"").contains("has no password");
        assertThat(refusal(0, "ninechars")).contains("9 characters").doesNotContain("ninechars");
        assertThat(refusal(1, "it is no regular file\n"))
                .contains("\"/vnc\"")
                .contains("can not be read: it is no regular file")
                .contains("of a volume");
    }

    @Test
    void vncWithoutANetworkIsRefusedBeforeQemuStarts() throws Exception {
        sandbox.vnc(DisplayMode.VNC, new VncPassword("sesame", ""));
        sandbox.start();
        assertThat(sandbox.mainClient().lastWords())
                .contains("the container has no network")
                .endsWith("EXIT 125");
        assertThat(sandbox.log()).doesNotContain("sesame");
        assertThat(sandbox.started).hasSize(1);
    }

    private Peer startInABrowser() throws Exception {
        sandbox.vnc(DisplayMode.WEB, new VncPassword("sesame", ""));
        sandbox.device(
                "eth0", 7, "02:42:ac:12:00:01", "fd000000000000000000000000000001", "fd000000000000000000000000000009");
        sandbox.start();
        return sandbox.mainClient();
    }

    @Test
    void aScreenInABrowserHasAServerWhoseEndIsNotTheVms() throws Exception {
        Peer main = startInABrowser();
        Peer agent = sandbox.runningAgent();
        assertThat(sandbox.webStarted)
                .containsExactly(
                        List.of("/opt/dkvm/dkvm-web", "6080", "/run/dkvm/screen/websocket", "/usr/share/novnc"));
        sandbox.web.end(139, "");
        sandbox.awaitLog("the screen can not be seen in a browser any more");
        agent.say(FrameType.EXIT, 1, 3, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 3, 0);
        assertThat(main.lastWords())
                .contains(
                        "dkvm: the screen can not be seen in a browser any more, until the container is started again:"
                                + " dkvm-web was killed by signal 11")
                .endsWith("EXIT 3");
        assertThat(sandbox.log()).doesNotContain("sesame");
    }

    @Test
    void aServerThatHasServedEndsNoStartWhateverItSays() throws Exception {
        Peer main = startInABrowser();
        sandbox.web.end(1, "serves the screen at TCP port 6080\ncan not listen at TCP port 6080\n");
        sandbox.awaitLog("the screen can not be seen in a browser any more");
        Peer agent = sandbox.runningAgent();
        sandbox.qemu.end(1, "out of luck\n");
        agent.close();
        assertThat(main.lastWords())
                .contains("dkvm: the screen can not be seen in a browser any more")
                .contains("dkvm: QEMU ended with exit code 1; its last messages:\nout of luck")
                .endsWith("EXIT 255");
    }

    @Test
    void aVmThatIsStartedAgainHasItsServerAgain() throws Exception {
        Peer main = startInABrowser();
        Peer lost = sandbox.agent();
        sandbox.qemu.end(134, "Assertion failed\n");
        lost.close();
        sandbox.awaitStarted(4);
        Peer agent = sandbox.runningAgent();
        assertThat(sandbox.web.isAlive()).isFalse();
        assertThat(sandbox.webStarted).hasSize(2);
        assertThat(sandbox.secondWeb.isAlive()).isTrue();
        agent.say(FrameType.EXIT, 1, 3, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 3, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 3");
    }

    @Test
    void aServerThatCanNotServeEndsTheStart() throws Exception {
        Peer main = startInABrowser();
        sandbox.web.end(1, "can not listen at TCP port 6080: Address already in use\n");
        assertThat(main.lastWords()).isEqualTo("""
                dkvm: dkvm-web ended with exit code 1; its last messages:
                can not listen at TCP port 6080: Address already in use
                EXIT 125""");
    }

    @Test
    void qemuHasTheTerminalAndIsAskedToLeaveIt() throws Exception {
        sandbox.curses();
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        assertThat(sandbox.terminals).containsExactly("xterm");
        main.say(FrameType.RESIZE, 1, 25, 0, 80, 0);
        agent.expect(FrameType.RESIZE);
        agent.say(FrameType.EXIT, 1, 3, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 3, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 3");
        assertThat(sandbox.qemu.wasAsked()).isTrue();
        assertThat(sandbox.share.wasAsked()).isFalse();
        assertThat(sandbox.qemu.signals()).containsExactly(28, 15);
    }

    @Test
    void aTerminalThatQemuDidNotLeaveIsLeftForIt() throws Exception {
        sandbox.curses();
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent();
        main.skipTo(FrameType.OPENED);
        sandbox.qemu.end(139, "");
        assertThat(main.skipTo(FrameType.NOTICE).text()).isEqualTo("\033[!p\033[?1049l");
        assertThat(main.lastWords()).endsWith("EXIT 255");
    }

    @Test
    void qemuIsToldTheTerminalsKindAndItsDescription() throws Exception {
        sandbox.curses();
        Files.createDirectory(directory.resolve("l"));
        Files.writeString(directory.resolve("l/linux"), "another");
        assertThat(environment("A=b", "TERM=linux")).isEqualTo(Map.of("TERM", "linux", "TERMINFO", b64("another")));
        Map<String, String> usual = Map.of("TERM", "xterm", "TERMINFO", b64("a description"));
        assertThat(environment("TERM=nobody-knows")).isEqualTo(usual);
        assertThat(environment("TERM=../x/xterm")).isEqualTo(usual);
        assertThat(environment("TERM=")).isEqualTo(usual);
        assertThat(environment()).isEqualTo(usual);
    }

    @Test
    void theWorkloadsTerminalIsTheGuestsConsole() {
        assertThat(Screen.onConsole(List.of("A=b", "TERM=xterm"))).containsExactly("A=b", "TERM=linux");
        assertThat(Screen.onConsole(List.of("A=b"))).containsExactly("A=b");
    }

    private Map<String, String> environment(String... env) throws DkvmException {
        return Screen.environment(List.of(env), sandbox.places.terminfo());
    }

    private static String b64(String text) {
        return "b64:" + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
