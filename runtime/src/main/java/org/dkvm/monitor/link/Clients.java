// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.agent.FrameReader;
import org.dkvm.agent.SessionRouter;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.loop.Sockets;

/** The connections to the session socket. */
public final class Clients {
    /**
     * Bytes that wait for all clients together. Credit bounds what waits for one, and its socket takes most of that; only a guest that
     * wants to fill the sandbox's memory gets here, and it loses the session.
     */
    static final int MAX_BACKLOG = 12 * 1024 * 1024;

    /** Connections at one time: every exec session, the main one, and some that are only just there. */
    private static final int MAX_CONNECTIONS = SessionRouter.MAX_EXEC + 64;

    private static final int BUFFER = 128 * 1024;

    private final EventLoop loop;
    private final SessionRouter router;
    private final MonitorLog log;
    private final List<ClientLink> links = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(Math.max(BUFFER, FrameReader.MIN_BUFFER));

    public Clients(EventLoop loop, SessionRouter router, MonitorLog log) {
        this.loop = loop;
        this.router = router;
        this.log = log;
    }

    /** A client has connected. */
    public void accept(SocketChannel channel) throws IOException {
        if (links.size() >= MAX_CONNECTIONS) {
            log.line("more than " + MAX_CONNECTIONS + " clients");
            Sockets.close(channel);
            return;
        }
        links.add(new ClientLink(channel, loop, router, buffer, log));
    }

    public boolean isEmpty() {
        return links.isEmpty();
    }

    /** Brings every connection up to date after a round; {@code mayRead} when the agent takes more. */
    public void update(boolean mayRead) {
        long waiting = 0;
        for (int i = links.size() - 1; i >= 0; i--) {
            ClientLink link = links.get(i);
            link.update(mayRead);
            waiting += link.client().output().backlog();
            if (!link.isOpen()) {
                links.remove(i);
            }
        }
        if (waiting > MAX_BACKLOG) {
            dropLargest();
        }
    }

    private void dropLargest() {
        ClientLink largest = links.get(0);
        for (ClientLink link : links) {
            if (link.client().output().backlog() > largest.client().output().backlog()) {
                largest = link;
            }
        }
        log.line("a client that does not read was dropped with "
                + largest.client().output().backlog() + " bytes");
        largest.drop();
    }
}
