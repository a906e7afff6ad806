// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Bytes;

/**
 * The guest's questions for names, and what a resolver answers: each question is answered once, under the id it was asked with.
 *
 * <p>An input is a list of steps: ask, answer the question of that number, or send what nobody asked for; a length u16; the message's bytes.
 */
public final class DnsRelayFuzz {
    private static final int ASK = 0;
    private static final int ANSWER = 1;
    private static final int STEPS = 3;
    private static final int LEAST = 12;
    private static final int MOST_STEPS = 64;

    private final Selector selector;
    private final DatagramChannel resolver;
    private final Map<Integer, byte[]> questions = new HashMap<>();
    private final Map<Integer, Integer> answers = new HashMap<>();
    private final List<byte[]> asked = new ArrayList<>();
    private final DnsRelay relay;
    private SocketAddress from = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);

    private DnsRelayFuzz(Selector selector, DatagramChannel resolver) throws IOException {
        this.selector = selector;
        this.resolver = resolver;
        resolver.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        relay = new DnsRelay(selector, resolver.getLocalAddress(), this::answered);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, DnsRelayFuzz::take);
    }

    private static void take(byte[] input) throws IOException {
        try (Selector selector = Selector.open();
                DatagramChannel resolver = DatagramChannel.open()) {
            new DnsRelayFuzz(selector, resolver).play(new Bytes(input));
            for (SelectionKey key : selector.keys()) {
                key.channel().close();
            }
        }
    }

    private void play(Bytes in) throws IOException {
        for (int step = 0; in.hasMore() && step < MOST_STEPS; step++) {
            int kind = in.u8() % STEPS;
            int number = in.u8();
            byte[] message = in.take(in.u16());
            if (kind == ASK) {
                ask(step, message);
            } else if (!asked.isEmpty()) {
                byte[] question = asked.get(number % asked.size());
                if (kind == ANSWER && message.length >= 2) {
                    message[0] = question[0];
                    message[1] = question[1];
                }
                resolver.send(ByteBuffer.wrap(message), from);
                selector.selectNow(key -> ((Runnable) key.attachment()).run());
            }
        }
        relay.expire(System.nanoTime() + DnsRelay.PATIENCE.toNanos());
        Bounded.check(!relay.hasOpen(), "a question that is never given up");
        Bounded.check(answers.keySet().equals(questions.keySet()), "questions without an answer");
    }

    /** As the agent's frames have them: at least a header. */
    private void ask(int id, byte[] message) throws IOException {
        ByteBuffer question = ByteBuffer.allocate(LEAST + message.length).put(message);
        questions.put(id, question.array());
        relay.ask(id, false, question.rewind(), System.nanoTime());
        ByteBuffer arrived = ByteBuffer.allocate(LEAST + message.length + 1);
        if (!answers.containsKey(id)) {
            from = resolver.receive(arrived);
            Bounded.check(arrived.position() == question.limit(), "another question was asked");
            for (int i = 2; i < question.limit(); i++) {
                Bounded.check(arrived.get(i) == question.get(i), "another question was asked");
            }
            asked.add(arrived.array());
        }
    }

    private void answered(int id, ByteBuffer message) {
        Bounded.check(answers.merge(id, 1, Integer::sum) == 1, "question " + id + " is answered twice");
        byte[] question = questions.getOrDefault(id, new byte[0]);
        Bounded.check(question.length > 0, "question " + id + " was never asked");
        Bounded.check(
                message.remaining() == 0
                        || (message.remaining() >= LEAST
                                && message.get(message.position()) == question[0]
                                && message.get(message.position() + 1) == question[1]),
                "an answer that is not the question's");
    }
}
