// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.end.Verdict;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A guest that wants to do harm loses its VM; the sandbox's memory stays bounded. */
@Timeout(60)
class HostileGuestTest {
    private final TestSandbox sandbox;

    HostileGuestTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    @Test
    void garbageEndsTheVm() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        byte[] garbage = new byte[100_000];
        new Random(5).nextBytes(garbage);
        try {
            agent.raw(ByteBuffer.wrap(garbage));
        } catch (UncheckedIOException e) {
            assertThat(e).hasMessageContaining("pipe");
        }
        assertBroken(main, "", Verdict.NOT_STARTED);
    }

    @Test
    void oversizedFrameEndsTheVm() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        agent.raw(header(0x7fff_ffff, FrameType.STDOUT.code(), 1));
        assertBroken(main, "a frame of 2147483647 bytes", Verdict.LOST);
    }

    @Test
    void helloOfAnotherKindEndsTheVm() throws Exception {
        Peer main = running();
        sandbox.agent().say(FrameType.HELLO, 0, 'X', 'K', 'V', 'M', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        assertBroken(main, "a HELLO that is not the agent's", Verdict.NOT_STARTED);
    }

    @Test
    void helloOfAnotherVersionEndsTheVm() throws Exception {
        Peer main = running();
        sandbox.agent().say(FrameType.HELLO, 0, 'D', 'K', 'V', 'M', 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        assertBroken(main, "an agent of protocol version 4, not 3", Verdict.NOT_STARTED);
    }

    @Test
    void framesOutOfOrderEndTheVm() throws Exception {
        Peer main = running();
        sandbox.agent().say(FrameType.READY, 0);
        assertBroken(main, "a frame READY from a guest in state SILENT", Verdict.NOT_STARTED);
    }

    @Test
    void secondHelloEndsTheVm() throws Exception {
        Peer main = running();
        TestSandbox.hello(sandbox.runningAgent());
        assertBroken(main, "a frame HELLO from a guest in state READY", Verdict.LOST);
    }

    @Test
    void unknownStreamEndsTheVm() throws Exception {
        Peer main = running();
        sandbox.runningAgent().say(FrameType.STDOUT, 77, 'x');
        assertBroken(main, "session 77, which is not open", Verdict.LOST);
    }

    @Test
    void clientsFrameFromTheGuestEndsTheVm() throws Exception {
        Peer main = running();
        sandbox.runningAgent().say(FrameType.SIGNAL, 1, 9, 0, 0, 0);
        assertBroken(main, "SIGNAL from the wrong side", Verdict.LOST);
    }

    @Test
    void outputBeyondTheCreditEndsTheVm() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        for (int i = 0; i < 3; i++) {
            agent.sayBytes(FrameType.STDERR, 1, new byte[32 * 1024]);
        }
        assertBroken(main, "sent 32768 bytes with a credit of 0", Verdict.LOST);
    }

    @Test
    void answerToAChangeThatWasNotToldEndsTheVm() throws Exception {
        Peer main = running();
        sandbox.runningAgent().say(FrameType.NETWORK_SET, 0, 1, 0, 0, 0, 0);
        assertBroken(main, "an answer to a change of the network, which has not changed", Verdict.LOST);
    }

    @Test
    void answerOfAnotherKindEndsTheVm() throws Exception {
        Peer main = running();
        sandbox.runningAgent().say(FrameType.NETWORK_SET, 0, 1, 0, 0, 0, 2);
        assertBroken(main, "a NETWORK_SET with code 2", Verdict.LOST);
    }

    @Test
    void answerBeforeTheGuestIsReadyEndsTheVm() throws Exception {
        Peer main = running();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.say(FrameType.NETWORK_SET, 0, 1, 0, 0, 0, 0);
        assertBroken(main, "a frame NETWORK_SET from a guest in state SETTING_UP", Verdict.NOT_STARTED);
    }

    @Test
    void cutFrameAtTheEndIsALostVm() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        agent.raw(header(1000, FrameType.STDOUT.code(), 1));
        agent.close();
        sandbox.qemu.end(1, "");
        assertThat(main.lastWords()).contains("QEMU ended with exit code 1").endsWith("EXIT 255");
    }

    @Test
    void floodOfLogLinesIsBounded() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        byte[] line = new byte[1025];
        java.util.Arrays.fill(line, (byte) 0x1b);
        line[0] = 2;
        for (int i = 0; i < 20_000; i++) {
            agent.sayBytes(FrameType.LOG, 0, line);
        }
        agent.say(FrameType.EXIT, 1, 0, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
        sandbox.exitCode();
        assertThat(sandbox.log().length()).isLessThan(MonitorLog.MAX_BYTES + 100);
        assertThat(sandbox.log()).doesNotContain("\u001b");
        // How it ended is said all the same.
        assertThat(sandbox.log().lines().toList().reversed().subList(0, 2))
                .satisfiesExactly(
                        end -> assertThat(end).endsWith("guest finished: EXITED, exit code 0"),
                        full -> assertThat(full).endsWith("the log is full"));
    }

    @Test
    void guestThatNeverReadsStopsItsClientsOnly() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        Thread writer = Thread.ofPlatform().start(() -> {
            byte[] frame = new byte[6];
            for (int i = 0; i < 400_000; i++) {
                frame[0] = 25;
                main.say(FrameType.RESIZE, 1, 25, 0, 80, 0);
            }
        });
        Thread.sleep(1500);
        assertThat(writer.isAlive()).isTrue();
        assertThat(writer.getState()).isNotEqualTo(Thread.State.TERMINATED);
        agent.say(FrameType.EXIT, 1, 4, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 4, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 4");
    }

    private Peer running() {
        sandbox.start();
        return sandbox.mainClient();
    }

    private void assertBroken(Peer main, String breach, int exitCode) throws Exception {
        assertThat(main.lastWords())
                .contains("dkvm: the guest broke the protocol: ")
                .contains(breach)
                .endsWith("EXIT " + exitCode);
        assertThat(sandbox.exitCode()).isEqualTo(exitCode);
        assertThat(sandbox.qemu.isAlive()).isFalse();
    }

    private static ByteBuffer header(int length, int type, int stream) {
        return ByteBuffer.allocate(9)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(length)
                .put((byte) type)
                .putInt(stream)
                .flip();
    }
}
