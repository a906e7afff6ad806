// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What goes wrong is told on the container's standard error, with what there is to know, and its exit code says whether the workload ran. */
@Timeout(60)
class FailureTest {
    private static final long LONG = 60_000;
    private static final int ABORTED = 128 + 6;

    private final TestSandbox sandbox;

    FailureTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    @Test
    void planThatIsNotThere() throws Exception {
        Files.delete(sandbox.places.plan());
        sandbox.start();
        assertThat(sandbox.mainClient().lastWords())
                .startsWith("dkvm: can not read \"" + sandbox.places.plan())
                .endsWith("\nEXIT 125");
        assertThat(sandbox.started).isEmpty();
    }

    @Test
    void virtiofsdThatDiesAtItsStart() throws Exception {
        sandbox.shareDoesNotListen();
        sandbox.share.end(1, "[ERROR] no such directory\n");
        sandbox.start();
        assertThat(sandbox.mainClient().lastWords())
                .isEqualTo(
                        "dkvm: virtiofsd ended with exit code 1; its last messages:\n[ERROR] no such directory\nEXIT 125");
    }

    @Test
    void virtiofsdThatDoesNotListen() throws Exception {
        sandbox.shareDoesNotListen();
        sandbox.deadlines(100, LONG, LONG);
        sandbox.start();
        assertThat(sandbox.mainClient().lastWords())
                .startsWith("dkvm: virtiofsd did not listen on \"")
                .endsWith("EXIT 125");
        assertThat(sandbox.share.isAlive()).isFalse();
    }

    @Test
    void qemuThatDiesBeforeTheAgentAnswers() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        sandbox.qemu.end(1, "qemu: could not set up \u001b[31mguest memory\n");
        agent.close();
        assertThat(main.lastWords()).isEqualTo("""
                dkvm: QEMU ended with exit code 1; its last messages:
                qemu: could not set up \\x1b[31mguest memory
                the VM was lost while DKVM waited for the guest's kernel to boot and its agent to answer
                EXIT 125""");
    }

    @Test
    void qemuThatAbortsBeforeTheAgentAnswersIsStartedAgain() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer lost = sandbox.agent();
        sandbox.qemu.end(ABORTED, "Assertion `section_index < d->map.sections_nb' failed.\n");
        lost.close();
        sandbox.awaitStarted(4);
        assertThat(sandbox.share.isAlive()).isFalse();
        assertRunsToItsEnd(main);
        assertThat(sandbox.secondQemu.isAlive()).isFalse();
        assertThat(sandbox.log()).contains("the VM is started again: QEMU was killed by signal 6");
    }

    /** Its second QEMU boots a guest, whose workload ends with 7. */
    private void assertRunsToItsEnd(Peer main) throws Exception {
        Peer agent = sandbox.runningAgent();
        agent.say(FrameType.EXIT, 1, 7, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 7, 0);
        assertThat(main.lastWords()).endsWith("EXIT 7");
    }

    @Test
    void aVmThatCanNotBeRestoredBoots() throws Exception {
        Peer main = startRestoring();
        Peer lost = sandbox.agent();
        sandbox.qemu.end(1, "load of migration failed\n");
        lost.close();
        sandbox.awaitStarted(4);
        assertThat(sandbox.share.isAlive()).isFalse();
        assertRunsToItsEnd(main);
        assertThat(sandbox.log())
                .contains("the VM can not be restored from its template, and boots: QEMU ended with exit code 1");
        assertThat(sandbox.places.notRestored()).exists();
    }

    @Test
    void aVmThatPanicsWhileItIsRestoredBoots() throws Exception {
        Peer main = startRestoring();
        sandbox.agent();
        // QEMU is started when all that it connects to is there.
        sandbox.awaitStarted(2);
        try (SocketChannel control = controlSocket()) {
            control.connect(UnixDomainSocketAddress.of(sandbox.places.sockets().control()));
            qemuSays(control, "{\"QMP\":{}}");
            qemuSays(control, "{\"return\":{}}");
            sandbox.awaitLog("QEMU takes commands");
            qemuSays(control, "{\"event\":\"GUEST_PANICKED\",\"data\":{}}");
            sandbox.awaitStarted(4);
        }
        assertRunsToItsEnd(main);
        assertThat(sandbox.log()).contains("boots: the guest's kernel panicked");
        assertThat(sandbox.places.notRestored()).exists();
    }

    @Test
    void aRestoredVmIsGivenRandomNumbers() throws Exception {
        Peer main = startRestoring();
        Peer agent = sandbox.agent();
        try (SocketChannel control = controlSocket()) {
            // The guest may speak before its cards are there; it is answered afterwards.
            TestSandbox.hello(agent);
            restore(control);
            byte[] restored = agent.skipTo(FrameType.MACHINE).payload();
            assertThat(random(restored)).hasSize(64).isNotEqualTo(new byte[64]);
            agent.skipTo(FrameType.SET_UP);
            agent.say(FrameType.READY, 0);
            agent.expect(FrameType.OPEN);
            agent.say(FrameType.OPENED, 1, 1, 0, 0, 0);
            agent.say(FrameType.EXIT, 1, 7, 0);
            agent.say(FrameType.FINISHED, 0, 0, 0, 7, 0);
            assertThat(main.lastWords()).endsWith("EXIT 7");
        }
        assertThat(Files.readString(sandbox.places.timeline())).contains("\"restored\":true");
        assertThat(sandbox.places.notRestored()).doesNotExist();
    }

    @Test
    void aRestoredVmWhoseNetworkDoesNotComeBoots() throws Exception {
        Peer main = startRestoring();
        try (SocketChannel control = controlSocket()) {
            Peer agent = settingUp(control);
            ByteBuffer both = ByteBuffer.allocate(64);
            both.put(Frame.make(FrameType.FAILED, 0, new byte[] {3, 'c', 'a', 'r', 'd'}));
            both.put(Frame.make(FrameType.LOG, 0, new byte[] {1, 'l', 'a', 't', 'e'}));
            agent.raw(both.flip());
            sandbox.awaitStarted(4);
        }
        assertRunsToItsEnd(main);
        assertThat(sandbox.log()).contains("boots: the guest could not be set up (network): card");
        assertThat(sandbox.places.notRestored()).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"2, mounts", "4, ready", "5, sysctls"})
    void aRestoredVmThatRefusesWhatItsContainerWantsDoesNotBoot(int step, String name) throws Exception {
        Peer main = startRestoring();
        try (SocketChannel control = controlSocket()) {
            Peer agent = settingUp(control);
            agent.say(FrameType.FAILED, 0, step, 'n', 'o');
            agent.expect(FrameType.ACK);
            assertThat(main.lastWords()).isEqualTo("dkvm: the guest could not be set up (" + name + "): no\nEXIT 125");
        }
        assertThat(sandbox.started).hasSize(2);
    }

    @Test
    void aRestoredVmThatIsLostBeforeItIsReadyBoots() throws Exception {
        Peer main = startRestoring();
        try (SocketChannel control = controlSocket()) {
            Peer agent = settingUp(control);
            sandbox.qemu.end(1, "");
            agent.close();
            sandbox.awaitStarted(4);
        }
        assertRunsToItsEnd(main);
        assertThat(sandbox.places.notRestored()).doesNotExist();
    }

    /** A VM that is to be restored; returns its main client. */
    private Peer startRestoring() throws Exception {
        sandbox.restored();
        sandbox.start();
        return sandbox.mainClient();
    }

    /** The agent of a VM that has been restored, and that is told what to be. */
    private Peer settingUp(SocketChannel control) throws Exception {
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        restore(control);
        agent.skipTo(FrameType.SET_UP);
        return agent;
    }

    /** What QEMU answers to the monitor that has it load a template. */
    private void restore(SocketChannel control) throws Exception {
        // It is started when all that it connects to is there.
        sandbox.awaitStarted(2);
        control.connect(UnixDomainSocketAddress.of(sandbox.places.sockets().control()));
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(control), StandardCharsets.UTF_8));
        qemuSays(control, "{\"QMP\":{}}\n{\"return\":{}}");
        String command = commands.readLine();
        for (int id = 1; !command.contains("migrate-incoming"); command = commands.readLine()) {
            if (!command.contains("qmp_capabilities")) {
                qemuSays(control, "{\"id\":" + id++ + ",\"return\":{}}");
            }
        }
        qemuSays(control, "{\"event\":\"MIGRATION\",\"data\":{\"status\":\"completed\"}}");
        String closing = commands.readLine();
        assertThat(closing).contains("remove-fd");
        qemuSays(
                control,
                "{\"id\":" + JsonParser.parseString(closing).getAsJsonObject().get("id") + ",\"return\":{}}");
    }

    /** The value of ENTROPY in the records of MACHINE: see protocol/PROTOCOL.md. */
    private static byte[] random(byte[] records) {
        ByteBuffer at = ByteBuffer.wrap(records).order(ByteOrder.LITTLE_ENDIAN);
        while (at.hasRemaining()) {
            int tag = at.getShort();
            byte[] value = new byte[at.getInt()];
            at.get(value);
            if (tag == 129) {
                return value;
            }
        }
        return new byte[0];
    }

    @Test
    void aTemplateIsNotBlamedForAQemuThatSomebodyKilled() throws Exception {
        Peer main = startRestoring();
        Peer lost = sandbox.agent();
        sandbox.qemu.end(137, "");
        lost.close();
        sandbox.awaitStarted(4);
        assertRunsToItsEnd(main);
        assertThat(sandbox.log()).contains("boots: QEMU was killed by signal 9");
        assertThat(sandbox.places.notRestored()).doesNotExist();
    }

    @Test
    void aVmWhoseTemplatesMemoryIsMissingBoots() throws Exception {
        sandbox.restored();
        sandbox.memoryIsMissing();
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.awaitStarted(4);
        assertRunsToItsEnd(main);
        assertThat(sandbox.log()).contains("boots: can not start QEMU: the template's memory can not be copied");
        assertThat(sandbox.places.notRestored()).doesNotExist();
    }

    @Test
    void aRestoredVmThatDoesNotAnswerInTimeBoots() throws Exception {
        sandbox.restored();
        sandbox.deadlines(4000, 60_000, 1000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.agent();
        sandbox.awaitStarted(4);
        assertThat(sandbox.qemu.isAlive()).isFalse();
        assertRunsToItsEnd(main);
        assertThat(sandbox.log()).contains("boots: it did not answer within 2000 ms");
    }

    @Test
    void qemuThatAbortsTwiceIsGivenUp() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.agent();
        sandbox.qemu.end(ABORTED, "first\n");
        sandbox.awaitStarted(4);
        sandbox.secondQemu.end(ABORTED, "second\n");
        assertThat(main.lastWords())
                .startsWith("dkvm: QEMU was killed by signal 6; its last messages:\nsecond\n")
                .endsWith("EXIT 125");
        assertThat(sandbox.started).hasSize(4);
    }

    @Test
    void qemuThatAbortsWhileTheWorkloadRunsIsNotStartedAgain() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent();
        main.skipTo(FrameType.OPENED);
        sandbox.qemu.end(ABORTED, "late\n");
        assertThat(main.lastWords()).contains("QEMU was killed by signal 6").endsWith("EXIT 255");
        assertThat(sandbox.started).hasSize(2);
    }

    @Test
    void qemuThatIsKilledWhileTheWorkloadRuns() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer exec = sandbox.execClient();
        sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        sandbox.qemu.end(128 + 9, "");
        assertThat(main.lastWords()).isEqualTo("""
                dkvm: QEMU was killed by signal 9
                the VM was lost while DKVM waited for the workload to exit
                EXIT 255""");
        assertThat(exec.lastWords()).startsWith("REFUSED 126");
        assertThat(sandbox.exitCode()).isEqualTo(255);
    }

    @Test
    void virtiofsdThatDiesWhileTheWorkloadRuns() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        sandbox.share.end(128 + 11, "");
        sandbox.qemu.end(0, "");
        assertThat(main.lastWords())
                .startsWith("dkvm: virtiofsd was killed by signal 11\n")
                .endsWith("EXIT 255");
    }

    @Test
    void qemuThatDiesAfterTheWorkloadExited() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        agent.say(FrameType.EXIT, 1, 6, 0);
        agent.close();
        sandbox.qemu.end(0, "");
        assertThat(main.lastWords()).isEqualTo("EXIT 6");
    }

    @Test
    void kernelThatPanicsIsQuoted() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer console = sandbox.console();
        Peer agent = sandbox.agent();
        console.raw(ByteBuffer.wrap(
                "line 1\r\n\u001b[2JKernel panic - not syncing: no init\r\n".getBytes(StandardCharsets.US_ASCII)));
        console.close();
        agent.close();
        sandbox.qemu.end(0, "");
        assertThat(main.lastWords()).isEqualTo("""
                dkvm: QEMU ended with exit code 0
                the VM was lost while DKVM waited for the guest's kernel to boot and its agent to answer
                the guest's console said last:
                line 1
                \\x1b[2JKernel panic - not syncing: no init
                EXIT 125""");
    }

    @Test
    void agentThatNeverAnswers() throws Exception {
        sandbox.deadlines(300, LONG, LONG);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.agent();
        assertThat(main.lastWords())
                .startsWith("dkvm: waited 0 s for the guest's kernel to boot and its agent to answer;")
                .contains("DKVM_KERNEL_DEBUG=1")
                .endsWith("EXIT 125");
        assertThat(sandbox.qemu.isAlive()).isFalse();
    }

    @Test
    void agentThatAnswersInTheHostsTimeOnly() throws Exception {
        // A thirtieth of the usual limit, which would not be over before the test is.
        sandbox.deadlines(60_000, LONG, LONG);
        sandbox.startSeconds(2);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.agent();
        assertThat(main.lastWords())
                .startsWith("dkvm: waited 2 s for the guest's kernel to boot and its agent to answer;");
    }

    @Test
    void bootThatTakesTooLongInAll() throws Exception {
        sandbox.deadlines(LONG, 400, LONG);
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        assertThat(main.lastWords())
                .contains("for the guest's agent to set the machine up")
                .endsWith("EXIT 125");
    }

    @Test
    void machineThatCanNotBeSetUp() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.skipTo(FrameType.OPEN);
        agent.say(FrameType.FAILED, 0, 2, 'n', 'o', 0x1b);
        agent.expect(FrameType.ACK);
        assertThat(main.lastWords()).isEqualTo("dkvm: the guest could not be set up (mounts): no\\x1b\nEXIT 125");
    }

    @Test
    void textOfManyLinesIsCutIntoNotices() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.agent();
        sandbox.qemu.end(1, "x".repeat(9000));
        assertThat(main.lastWords().length()).isLessThan(1500);
    }

    /** A VM that runs under KVM, with QEMU's control socket in the test's hand. */
    private BufferedReader running(SocketChannel control) throws Exception {
        sandbox.runningAgent();
        control.connect(UnixDomainSocketAddress.of(sandbox.places.sockets().control()));
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(control), StandardCharsets.UTF_8));
        qemuSays(control, "{\"QMP\":{}}");
        assertThat(commands.readLine()).contains("qmp_capabilities");
        qemuSays(control, "{\"return\":{}}");
        sandbox.awaitLog("QEMU takes commands");
        return commands;
    }

    private static void qemuSays(SocketChannel control, String line) throws Exception {
        control.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private static SocketChannel controlSocket() throws Exception {
        return SocketChannel.open(StandardProtocolFamily.UNIX);
    }

    @Test
    void aMachineThatStoppedIsLost() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        try (SocketChannel control = controlSocket()) {
            BufferedReader commands = running(control);
            qemuSays(control, "{\"event\":\"STOP\"}");
            String asked = commands.readLine();
            assertThat(asked).contains("query-status");
            qemuSays(control, "{\"id\":1,\"return\":{\"status\":\"internal-error\",\"running\":false}}");
            assertThat(main.lastWords()).isEqualTo("""
                    dkvm: QEMU stopped the VM (internal-error): KVM gave a processor up
                    the VM was lost while DKVM waited for the workload to exit
                    EXIT 255""");
        }
        assertThat(sandbox.qemu.isAlive()).isFalse();
        assertThat(sandbox.share.isAlive()).isFalse();
    }

    @Test
    void aMachineThatGoesOnAtOnceIsNotLost() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        try (SocketChannel control = controlSocket()) {
            BufferedReader commands = running(control);
            qemuSays(control, "{\"event\":\"STOP\"}");
            assertThat(commands.readLine()).contains("query-status");
            qemuSays(control, "{\"event\":\"RESUME\"}");
            qemuSays(control, "{\"id\":1,\"return\":{\"status\":\"running\",\"running\":true}}");
            qemuSays(control, "{\"event\":\"STOP\"}");
            assertThat(commands.readLine()).contains("query-status");
            qemuSays(control, "{\"id\":2,\"error\":{\"desc\":\"no\"}}");
            assertThat(main.lastWords())
                    .startsWith("dkvm: QEMU stopped the VM\n")
                    .endsWith("EXIT 255");
        }
    }

    @Test
    void aKernelThatPanickedByQemusWordIsLost() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        try (SocketChannel control = controlSocket()) {
            running(control);
            qemuSays(control, "{\"event\":\"GUEST_PANICKED\",\"data\":{\"action\":\"pause\"}}");
            assertThat(main.lastWords())
                    .startsWith("dkvm: the guest's kernel panicked\n")
                    .endsWith("EXIT 255");
        }
    }

    @Test
    void aDiskThatFailsOnTheHostIsToldOnceAndTheVmGoesOn() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        try (SocketChannel control = controlSocket()) {
            running(control);
            main.skipTo(FrameType.OPENED);
            String error = "{\"event\":\"BLOCK_IO_ERROR\",\"data\":{\"device\":\"\",\"node-name\":\"disk0\","
                    + "\"operation\":\"write\",\"action\":\"report\",\"nospace\":true,"
                    + "\"reason\":\"No space left on device\"}}";
            qemuSays(control, error);
            qemuSays(control, error);
            qemuSays(control, "{\"event\":\"GUEST_PANICKED\"}");
            assertThat(main.lastWords())
                    .containsOnlyOnce("a disk of the VM had an error on the host, and the guest is told so:"
                            + " write of \"disk0\": No space left on device");
        }
    }

    @Test
    void aQemuWithoutTheProcessorsExtensionGivesWayToTcg() throws Exception {
        sandbox.kvm(true);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.awaitStarted(2);
        sandbox.qemu.end(1, "qemu-system-x86_64: failed to initialize kvm: Device or resource busy\n");
        sandbox.awaitStarted(4);
        Peer agent = sandbox.runningAgent();
        agent.say(FrameType.EXIT, 1, 7, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 7, 0);
        assertThat(main.lastWords())
                .contains("dkvm: KVM is in use by another program: this VM runs with TCG, which is slower")
                .endsWith("EXIT 7");
        assertThat(sandbox.log())
                .containsSubsequence(
                        "-accel kvm -cpu host,vmx=off,svm=off ", "-accel tcg,tb-size=128 -cpu max,-erms,-fsrm ");
    }

    @Test
    void whoAskedForKvmGetsNothingElse() throws Exception {
        sandbox.kvm(false);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.awaitStarted(2);
        sandbox.qemu.end(1, "qemu-system-x86_64: failed to initialize kvm: Device or resource busy\n");
        assertThat(main.lastWords()).contains("Device or resource busy").endsWith("EXIT 125");
        assertThat(sandbox.started).hasSize(2);
    }
}
