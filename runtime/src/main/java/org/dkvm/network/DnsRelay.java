// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Asks the engine's resolver what the guest asked the agent. Each message gets an id of ours while it is away, so that two programs of
 * the guest may use the same one; the socket is connected, so only the resolver is heard. Opens no socket before the first question.
 *
 * <p>The selection keys carry a {@link Runnable} that the event loop runs when they are ready.
 */
public final class DnsRelay {
    /** Questions open at one time; further ones get the empty answer. */
    public static final int MAX_OPEN = 512;
    /** How long the resolver is waited for: a stub resolver asks again after 5 s. */
    public static final Duration PATIENCE = Duration.ofSeconds(8);

    private static final int MAX_TCP = 64;
    private static final int MIN_MESSAGE = 12;
    private static final int MAX_MESSAGE = 65_535;
    private static final ByteBuffer NO_ANSWER = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private final Selector selector;
    private final SocketAddress resolver;
    private final DnsAnswers answers;
    private final Map<Short, DnsQuery> away = new HashMap<>();
    private final List<DnsTcpExchange> exchanges = new ArrayList<>();
    /** All questions, the oldest first. */
    private final Deque<DnsQuery> open = new ArrayDeque<>();

    private @Nullable DatagramChannel udp;
    private @Nullable ByteBuffer buffer;

    /** A relay to that resolver, whose sockets are served by the owner of the selector. */
    public DnsRelay(Selector selector, SocketAddress resolver, DnsAnswers answers) {
        this.selector = selector;
        this.resolver = resolver;
        this.answers = answers;
    }

    /** Asks a question; the answer comes later, or at once when it can not be asked. */
    public void ask(int id, boolean tcp, ByteBuffer message, long nowNanos) {
        DnsQuery query = new DnsQuery(id, message.getShort(message.position()), nowNanos + PATIENCE.toNanos());
        if (away.size() + exchanges.size() >= MAX_OPEN || (tcp && exchanges.size() >= MAX_TCP)) {
            answers.answer(id, NO_ANSWER.duplicate());
            return;
        }
        open.add(query);
        try {
            if (tcp) {
                exchanges.add(new DnsTcpExchange(this, selector, resolver, query, message));
            } else {
                askByUdp(query, message);
            }
        } catch (IOException e) {
            finish(query, NO_ANSWER.duplicate());
        }
    }

    /** Gives up what is older than {@link #PATIENCE}. */
    public void expire(long nowNanos) {
        while (true) {
            DnsQuery oldest = open.peek();
            if (oldest == null || (!oldest.isDone() && oldest.deadlineNanos() - nowNanos > 0)) {
                return;
            }
            open.remove();
            if (!oldest.isDone()) {
                finish(oldest, NO_ANSWER.duplicate());
            }
        }
    }

    /** Whether any question is open, so that {@link #expire} is needed. */
    public boolean hasOpen() {
        return !open.isEmpty();
    }

    /** Answers a question, once. */
    void finish(DnsQuery query, ByteBuffer message) {
        if (query.isDone()) {
            return;
        }
        query.setDone();
        away.values().remove(query);
        for (int i = exchanges.size() - 1; i >= 0; i--) {
            if (exchanges.get(i).query() == query) {
                exchanges.remove(i).close();
            }
        }
        answers.answer(query.id(), message);
    }

    private void askByUdp(DnsQuery query, ByteBuffer message) throws IOException {
        DatagramChannel channel = udp;
        if (channel == null) {
            channel = DatagramChannel.open();
            channel.configureBlocking(false);
            channel.connect(resolver);
            channel.register(selector, SelectionKey.OP_READ, (Runnable) this::receive);
            udp = channel;
            buffer = ByteBuffer.allocateDirect(MAX_MESSAGE);
        }
        short own;
        do {
            own = (short) ThreadLocalRandom.current().nextInt();
        } while (away.putIfAbsent(own, query) != null);
        ByteBuffer out = ByteBuffer.allocate(message.remaining())
                .put(message.duplicate())
                .flip();
        if (channel.write(out.putShort(0, own)) == 0) {
            throw new IOException("the socket is full");
        }
    }

    private void receive() {
        DatagramChannel channel = udp;
        ByteBuffer in = buffer;
        if (channel == null || in == null) {
            return;
        }
        try {
            while (channel.read(in.clear()) > 0) {
                in.flip();
                DnsQuery query = in.limit() >= MIN_MESSAGE ? away.remove(in.getShort(0)) : null;
                if (query != null) {
                    in.putShort(0, query.dnsId());
                    finish(query, in);
                }
            }
        } catch (IOException e) {
            // Nobody listens there: the kernel says so once for what was asked since.
            for (DnsQuery query : new ArrayList<>(away.values())) {
                finish(query, NO_ANSWER.duplicate());
            }
        }
    }
}
