// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against resolvers on this machine's loopback. */
@Timeout(30)
class DnsRelayTest {
    private final Map<Integer, byte[]> answers = new HashMap<>();
    private Selector selector;
    private DatagramSocket udp;
    private ServerSocket tcp;
    private DnsRelay relay;

    DnsRelayTest() throws Exception {
        selector = Selector.open();
        udp = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        tcp = new ServerSocket(udp.getLocalPort(), 10, InetAddress.getLoopbackAddress());
        relay = relay();
    }

    @BeforeEach
    void patience() throws Exception {
        udp.setSoTimeout(5000);
        tcp.setSoTimeout(5000);
    }

    @AfterEach
    void close() throws Exception {
        selector.close();
        udp.close();
        tcp.close();
    }

    @Test
    void answerByUdpComesBackWithTheIdItsQuestionHad() throws Exception {
        ask(7, false, message(0x1234, 40));
        ask(8, false, message(0x1234, 41));
        DatagramPacket first = receive();
        DatagramPacket second = receive();
        assertThat(first.getLength()).isEqualTo(40);
        assertThat(id(first)).isNotEqualTo(id(second));
        assertThat(relay.hasOpen()).isTrue();
        answer(second, 100);
        answer(first, 200);
        serveUntil(2);
        assertThat(answers.get(7)).hasSize(200).startsWith(0x12, 0x34);
        assertThat(answers.get(8)).hasSize(100).startsWith(0x12, 0x34);
    }

    @Test
    void answerThatNobodyAskedForIsNotPassedOn() throws Exception {
        ask(7, false, message(0x1234, 40));
        DatagramPacket question = receive();
        int own = id(question);
        DatagramPacket forged = copy(question, 60);
        forged.getData()[0] = (byte) ((own >> 8) ^ 0x55);
        udp.send(forged);
        udp.send(copy(question, 5));
        answer(question, 80);
        serveUntil(1);
        assertThat(answers.get(7)).hasSize(80);
        answer(question, 90);
        serve(200);
        assertThat(answers).hasSize(1);
    }

    @Test
    void longAnswerByTcpComesWhole() throws Exception {
        ask(9, true, message(0x4321, 30));
        Thread server = Thread.ofPlatform().start(() -> serveTcp(65_535));
        serveUntil(1);
        server.join();
        assertThat(answers.get(9)).hasSize(65_535).startsWith(0x43, 0x21);
    }

    @Test
    void hungUpTcpIsNoAnswer() throws Exception {
        ask(9, true, message(0x4321, 30));
        tcp.accept().close();
        serveUntil(1);
        assertThat(answers.get(9)).isEmpty();
    }

    @Test
    void noResolverIsNoAnswer() throws Exception {
        udp.close();
        tcp.close();
        ask(1, false, message(1, 30));
        ask(2, true, message(2, 30));
        serveUntil(2);
        assertThat(answers.get(1)).isEmpty();
        assertThat(answers.get(2)).isEmpty();
        assertThat(relay.hasOpen()).isTrue();
        relay.expire(System.nanoTime());
        assertThat(relay.hasOpen()).isFalse();
    }

    @Test
    void questionIsGivenUpAfterAWhile() throws Exception {
        long now = System.nanoTime();
        relay.ask(1, false, message(1, 30), now);
        relay.ask(2, true, message(1, 30), now + 1000);
        relay.expire(now + DnsRelay.PATIENCE.toNanos() - 1);
        assertThat(answers).isEmpty();
        relay.expire(now + DnsRelay.PATIENCE.toNanos() + 1);
        assertThat(answers.get(1)).isEmpty();
        assertThat(answers).hasSize(1);
        relay.expire(now + DnsRelay.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());
        assertThat(answers.get(2)).isEmpty();
        assertThat(relay.hasOpen()).isFalse();
        answer(receive(), 60);
        serve(200);
        assertThat(answers.get(1)).isEmpty();
    }

    @Test
    void openQuestionsAreBounded() throws Exception {
        List<DatagramPacket> questions = new ArrayList<>();
        for (int i = 0; i < DnsRelay.MAX_OPEN; i++) {
            ask(i, false, message(i, 30));
            questions.add(receive());
        }
        assertThat(answers).isEmpty();
        ask(9999, false, message(1, 30));
        assertThat(answers).containsOnlyKeys(9999);
        for (DatagramPacket question : questions) {
            answer(question, 40);
            serve(0);
        }
        serveUntil(DnsRelay.MAX_OPEN + 1);
    }

    private DnsRelay relay() {
        InetSocketAddress resolver = new InetSocketAddress(InetAddress.getLoopbackAddress(), udp.getLocalPort());
        return new DnsRelay(selector, resolver, (id, message) -> {
            byte[] copy = new byte[message.remaining()];
            message.get(copy);
            answers.put(id, copy);
        });
    }

    private void ask(int id, boolean tcpTransport, ByteBuffer message) {
        relay.ask(id, tcpTransport, message, System.nanoTime());
    }

    private void serveUntil(int count) throws Exception {
        while (answers.size() < count) {
            serve(5000);
        }
    }

    private void serve(int millis) throws Exception {
        selector.select(Math.max(1, millis));
        for (SelectionKey key : selector.selectedKeys()) {
            if (key.isValid() && key.attachment() instanceof Runnable task) {
                task.run();
            }
        }
        selector.selectedKeys().clear();
    }

    private DatagramPacket receive() throws Exception {
        DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
        udp.receive(packet);
        return packet;
    }

    private void answer(DatagramPacket question, int length) throws Exception {
        udp.send(copy(question, length));
    }

    private static DatagramPacket copy(DatagramPacket question, int length) {
        byte[] bytes = java.util.Arrays.copyOf(question.getData().clone(), length);
        return new DatagramPacket(bytes, length, question.getSocketAddress());
    }

    private void serveTcp(int length) {
        try (Socket socket = tcp.accept()) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] question = in.readNBytes(in.readUnsignedShort());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeShort(length);
            out.write(java.util.Arrays.copyOf(question, length));
            out.flush();
            int end = in.read();
            assertThat(end).isLessThan(0);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static int id(DatagramPacket packet) {
        return ByteBuffer.wrap(packet.getData()).getChar(0);
    }

    private static ByteBuffer message(int id, int length) {
        return ByteBuffer.allocate(length).putShort(0, (short) id);
    }
}
