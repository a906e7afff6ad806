// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.end.Verdict;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A sandbox's life with a guest that keeps to the protocol. */
@Timeout(60)
class MonitorTest {
    private static final int MAIN = 1;
    private static final int PIECE = 32 * 1024;
    private static final int LOTS = 20 * 1024 * 1024;

    private final TestSandbox sandbox;

    MonitorTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    @Test
    void workloadRunsAndItsExitCodeIsTold() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        assertThat(agent.expect(FrameType.WELCOME).u8(0)).isEqualTo(3);
        assertThat(agent.expect(FrameType.MACHINE).length()).isPositive();
        assertThat(agent.expect(FrameType.CONTAINER).u32(0)).isEqualTo(1);
        agent.expect(FrameType.SET_UP);
        assertThat(agent.expect(FrameType.OPEN).u8(0)).isEqualTo(1);
        agent.say(FrameType.READY, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0);
        agent.say(FrameType.OPENED, MAIN, 1, 0, 0, 0);
        main.expect(FrameType.OPENED);
        agent.sayBytes(FrameType.STDOUT, MAIN, "hello".getBytes(StandardCharsets.UTF_8));
        assertThat(main.expect(FrameType.STDOUT).text()).isEqualTo("hello");
        main.sayBytes(FrameType.STDIN, 1, "in".getBytes(StandardCharsets.UTF_8));
        assertThat(agent.expect(FrameType.STDIN).text()).isEqualTo("in");
        main.say(FrameType.SIGNAL, 1, 15, 0, 0, 0);
        assertThat(agent.expect(FrameType.SIGNAL).u32(0)).isEqualTo(15);
        main.say(FrameType.RESIZE, 1, 25, 0, 80, 0);
        agent.expect(FrameType.RESIZE);
        assertThat(sandbox.qemu.isAlive()).isTrue();
        finish(agent, 7, 7);
        assertThat(main.lastWords()).isEqualTo("EXIT 7");
        assertThat(sandbox.exitCode()).isEqualTo(7);
        assertThat(sandbox.qemu.isAlive()).isFalse();
        assertThat(sandbox.share.isAlive()).isFalse();
        assertThat(Files.readString(sandbox.places.timeline()))
                .contains("\"mainNanos\":")
                .contains("\"step\":\"opened\"", "\"step\":\"ready\"");
    }

    @Test
    void exitCodeOfFinishedWins() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        finish(sandbox.runningAgent(), 0, 42);
        assertThat(main.lastWords()).isEqualTo("EXIT 42");
    }

    @Test
    void exitWaitsForTheGuestToFinish() throws Exception {
        sandbox.deadlines(60_000, 60_000, 300);
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        long before = System.nanoTime();
        agent.say(FrameType.EXIT, MAIN, 5, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 5");
        assertThat(System.nanoTime() - before).isGreaterThan(250_000_000L);
        assertThat(sandbox.log()).contains("the guest did not finish within");
    }

    @Test
    void refusedWorkloadIsToldInTheAgentsWords() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.skipTo(FrameType.OPEN);
        agent.say(FrameType.READY, 0);
        agent.say(FrameType.REFUSED, MAIN, 127, 'n', 'o');
        agent.say(FrameType.FINISHED, 0, 0, 0, 127, 0);
        assertThat(main.lastWords()).isEqualTo("REFUSED 127 no");
        assertThat(sandbox.exitCode()).isEqualTo(127);
    }

    @Test
    void theGuestIsToldTheTimeWheneverItAsks() throws Exception {
        sandbox.start();
        sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        Instant before = Instant.now();
        agent.say(FrameType.CLOCK_ASK, 0, 1, 2, 3, 4, 5, 6, 7, 8);
        ByteBuffer answer = ByteBuffer.wrap(agent.skipTo(FrameType.CLOCK).payload());
        Instant told = Instant.ofEpochSecond(0, Long.reverseBytes(answer.getLong()));
        assertThat(told).isBetween(before, Instant.now());
        assertThat(answer.getLong()).isEqualTo(0x0102030405060708L);
    }

    @Test
    void whatTheGuestUsesIsToldToWhoAsks() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.skipTo(FrameType.OPEN);
        assertThat(sandbox.usageClient().lastWords()).startsWith("REFUSED 126 the VM is still starting");
        agent.say(FrameType.READY, 0);
        agent.say(FrameType.OPENED, MAIN, 1, 0, 0, 0);
        main.skipTo(FrameType.OPENED);
        Peer client = sandbox.usageClient();
        agent.skipTo(FrameType.USAGE_ASK);
        agent.say(FrameType.USAGE, 0, 1, 2, 3);
        assertThat(client.skipTo(FrameType.STDOUT).payload()).containsExactly(1, 2, 3);
        assertThat(client.lastWords()).isEqualTo("EXIT 0");
        Peer unlucky = sandbox.usageClient();
        agent.skipTo(FrameType.USAGE_ASK);
        agent.say(FrameType.USAGE, 0);
        assertThat(unlucky.lastWords()).isEqualTo("REFUSED 126 the guest can not tell what it uses");
        finish(agent, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
    }

    @Test
    void whoWaitsForWhatTheGuestUsesIsToldOfTheVmsEnd() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        main.skipTo(FrameType.OPENED);
        Peer client = sandbox.usageClient();
        agent.skipTo(FrameType.USAGE_ASK);
        finish(agent, 0, 0);
        assertThat(client.lastWords()).isEqualTo("REFUSED 126 the container is stopping");
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
    }

    @Test
    void aGuestThatDoesNotTellWhatItUsesIsNotWaitedFor() throws Exception {
        sandbox.deadlines(2000, 60_000, 60_000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        main.skipTo(FrameType.OPENED);
        Peer one = sandbox.usageClient();
        agent.skipTo(FrameType.USAGE_ASK);
        Peer other = sandbox.usageClient();
        assertThat(one.lastWords()).isEqualTo("REFUSED 126 the guest did not answer within 2 s");
        assertThat(other.lastWords()).isEqualTo("REFUSED 126 the guest did not answer within 2 s");
        // What comes late is nothing, and what nobody asked for a breach.
        agent.say(FrameType.USAGE, 0, 1);
        agent.say(FrameType.USAGE, 0, 1);
        assertThat(main.lastWords()).contains("the guest broke the protocol: a USAGE that answers nothing");
    }

    @Test
    void rebootEndsTheContainer() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent().say(FrameType.FINISHED, 0, 2, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
    }

    @Test
    void theEngineHearsOfAVmWithoutMemoryBeforeTheEnd() throws Exception {
        sandbox.memoryCeiling(200_000_000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent().say(FrameType.FINISHED, 0, 0, 2, 137, 0);
        sandbox.qemu.waitFor();
        while (sandbox.exhausts.isEmpty()) {
            Thread.onSpinWait();
        }
        assertThat(sandbox.exhausts).containsExactly("200000000");
        sandbox.exhaust.end(137, "");
        assertThat(main.lastWords()).isEqualTo("EXIT 137");
        assertThat(sandbox.exhausts).hasSize(1);
    }

    @Test
    void withoutALimitThereIsNobodyToTell() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent().say(FrameType.FINISHED, 0, 0, 2, 137, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 137");
        assertThat(sandbox.exhausts).isEmpty();
    }

    @Test
    void enoughMemoryIsNoNews() throws Exception {
        sandbox.memoryCeiling(200_000_000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent().say(FrameType.FINISHED, 0, 0, 0, 137, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 137");
        assertThat(sandbox.exhausts).isEmpty();
    }

    @Test
    void whatClientsSendEarlyArrivesInOrder() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        main.say(FrameType.STDIN, 1, 'a');
        main.say(FrameType.SIGNAL, 1, 10, 0, 0, 0);
        main.say(FrameType.STDIN, 1, 'b');
        Peer exec = sandbox.execClient();
        exec.say(FrameType.STDIN, 1, 'c');
        exec.say(FrameType.STDIN, 1);
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.skipTo(FrameType.OPEN);
        assertThat(agent.expect(FrameType.STDIN).text()).isEqualTo("a");
        agent.expect(FrameType.SIGNAL);
        assertThat(agent.expect(FrameType.STDIN).text()).isEqualTo("b");
        agent.say(FrameType.READY, 0);
        assertThat(agent.expect(FrameType.OPEN).stream()).isEqualTo(2);
        assertThat(agent.expect(FrameType.STDIN).text()).isEqualTo("c");
        assertThat(agent.expect(FrameType.STDIN).length()).isZero();
    }

    @Test
    void lotsOfOutputArriveByteForByte() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        CRC32 sent = new CRC32();
        Thread guest = Thread.ofPlatform().start(() -> pour(agent, FrameType.STDOUT, 1, sent));
        CRC32 received = drink(main, FrameType.STDOUT, 1);
        guest.join();
        assertThat(received.getValue()).isEqualTo(sent.getValue());
    }

    @Test
    void lotsOfInputArriveByteForByte() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        CRC32 sent = new CRC32();
        Thread client = Thread.ofPlatform().start(() -> pour(main, FrameType.STDIN, 0, sent));
        CRC32 received = drink(agent, FrameType.STDIN, 0);
        client.join();
        assertThat(received.getValue()).isEqualTo(sent.getValue());
    }

    @Test
    void clientThatDoesNotReadDelaysNoOther() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        Peer exec = sandbox.execClient();
        agent.skipTo(FrameType.OPEN);
        agent.say(FrameType.OPENED, 2, 2, 0, 0, 0);
        for (int i = 0; i < 64 * 1024; i++) {
            agent.say(FrameType.STDOUT, MAIN, i);
        }
        agent.say(FrameType.STDOUT, 2, 'x');
        exec.expect(FrameType.OPENED);
        assertThat(exec.expect(FrameType.STDOUT).text()).isEqualTo("x");
        int total = 0;
        byte value = 0;
        while (total < 64 * 1024) {
            Peer.Got frame = main.skipTo(FrameType.STDOUT);
            for (byte b : frame.payload()) {
                assertThat(b).isEqualTo(value++);
            }
            total += frame.length();
        }
    }

    @Test
    void fiftySessionsAtOnce() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        List<Peer> clients = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            clients.add(sandbox.execClient());
        }
        for (int i = 0; i < 50; i++) {
            int stream = agent.skipTo(FrameType.OPEN).stream();
            agent.say(FrameType.OPENED, stream, stream, 0, 0, 0);
            agent.say(FrameType.STDOUT, stream, stream);
            agent.say(FrameType.STDERR, stream, stream);
            agent.say(FrameType.STDOUT, stream);
            agent.say(FrameType.EXIT, stream, stream, 0);
        }
        List<Integer> streams = new ArrayList<>();
        for (Peer client : clients) {
            client.expect(FrameType.OPENED);
            int stream = client.expect(FrameType.STDOUT).u8(0);
            streams.add(stream);
            assertThat(client.expect(FrameType.STDERR).u8(0)).isEqualTo(stream);
            assertThat(client.expect(FrameType.STDOUT).length()).isZero();
            assertThat(client.lastWords()).isEqualTo("EXIT " + stream);
        }
        assertThat(streams).doesNotHaveDuplicates().hasSize(50);
        finish(agent, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
    }

    @Test
    void execSessionsEndWithTheContainer() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        Peer exec = sandbox.execClient();
        agent.skipTo(FrameType.OPEN);
        agent.say(FrameType.OPENED, 2, 2, 0, 0, 0);
        exec.expect(FrameType.OPENED);
        finish(agent, 3, 3);
        assertThat(exec.lastWords()).isEqualTo("EXIT 137");
        assertThat(main.lastWords()).isEqualTo("EXIT 3");
    }

    @Test
    void clientThatBreaksTheProtocolEndsAlone() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        Peer exec = sandbox.execClient();
        agent.skipTo(FrameType.OPEN);
        exec.say(FrameType.OPEN, 1, 1, 1);
        assertThat(exec.lastWords()).isEqualTo("nothing");
        assertThat(agent.expect(FrameType.CLOSE).stream()).isEqualTo(2);
        agent.say(FrameType.OPENED, 2, 2, 0, 0, 0);
        agent.say(FrameType.EXIT, 2, 0, 0);
        Peer garbage = new Peer(sandbox.places.sessionSocket());
        garbage.raw(ByteBuffer.wrap("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
        assertThat(garbage.lastWords()).isEqualTo("nothing");
        finish(agent, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
    }

    @Test
    void mainClientsGoingEndsTheVm() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        main.close();
        assertThat(sandbox.exitCode()).isEqualTo(Verdict.LOST);
        assertThat(sandbox.qemu.isAlive()).isFalse();
    }

    @Test
    void kernelsLogGoesToTheMainClientWhenAskedFor() throws Exception {
        sandbox.kernelDebug();
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer console = sandbox.console();
        console.raw(ByteBuffer.wrap("Linux version 6\r\n".getBytes(StandardCharsets.US_ASCII)));
        assertThat(main.expect(FrameType.NOTICE).text()).startsWith("Linux version 6");
    }

    private static void finish(Peer agent, int exit, int finished) {
        agent.say(FrameType.EXIT, MAIN, exit, 0);
        agent.say(FrameType.FINISHED, 0, 0, exit == finished ? 0 : 1, finished, 0);
        agent.skipTo(FrameType.ACK);
    }

    /** Sends {@link #LOTS} bytes in pieces of all sizes, as the credit lets it. */
    private static void pour(Peer peer, FrameType type, int channel, CRC32 sum) {
        Random random = new Random(3);
        int credit = 65_536;
        for (int left = LOTS; left > 0; ) {
            while (credit == 0) {
                Peer.Got more = peer.skipTo(FrameType.CREDIT);
                assertThat(more.u8(0)).isEqualTo(channel);
                credit += more.u32(1);
            }
            byte[] piece = new byte[Math.min(Math.min(left, credit), 1 + random.nextInt(PIECE))];
            random.nextBytes(piece);
            sum.update(piece);
            peer.sayBytes(type, 1, piece);
            credit -= piece.length;
            left -= piece.length;
        }
    }

    private static CRC32 drink(Peer peer, FrameType type, int channel) {
        CRC32 sum = new CRC32();
        int owed = 0;
        for (int left = LOTS; left > 0; ) {
            Peer.Got frame = peer.skipTo(type);
            sum.update(frame.payload());
            left -= frame.length();
            owed += frame.length();
            if (owed > 20_000 || left == 0) {
                peer.credit(1, channel, owed);
                owed = 0;
            }
        }
        return sum;
    }
}
