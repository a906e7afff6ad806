// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.network.DnsAnswers;
import org.dkvm.network.DnsRelay;
import org.jspecify.annotations.Nullable;

/** The guest's questions for names, asked of the engine's resolver; there is nothing of it before the first one. */
final class GuestDns {
    private static final Duration TICK = Duration.ofSeconds(1);

    private final EventLoop loop;
    private final DnsAnswers answers;
    private @Nullable DnsRelay relay;
    private byte[] resolver = {127, 0, 0, 11};
    private boolean ended;

    GuestDns(EventLoop loop, DnsAnswers answers) {
        this.loop = loop;
        this.answers = answers;
    }

    /** Asks another resolver than the engine's from now on; before the first question. */
    void resolver(byte[] address) {
        resolver = address;
    }

    void ask(int id, boolean tcp, ByteBuffer message) {
        DnsRelay asked = relay;
        if (asked == null) {
            asked = new DnsRelay(loop.selector(), at(resolver), answers);
            relay = asked;
        }
        boolean first = !asked.hasOpen();
        asked.ask(id, tcp, message, System.nanoTime());
        if (first && asked.hasOpen()) {
            loop.after(TICK, () -> tick());
        }
    }

    /** Nobody waits for answers any more. */
    void end() {
        ended = true;
    }

    private void tick() {
        DnsRelay asked = relay;
        if (asked != null && !ended) {
            asked.expire(System.nanoTime());
            if (asked.hasOpen()) {
                loop.after(TICK, () -> tick());
            }
        }
    }

    private static SocketAddress at(byte[] address) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address), 53);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of four bytes is an address", e);
        }
    }
}
