// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.dkvm.agent.Client;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameOutput;
import org.dkvm.agent.FrameReader;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.Sender;
import org.dkvm.agent.SessionRouter;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.loop.Sockets;

/** A client's connection to the session socket. */
final class ClientLink implements Runnable, FrameReceiver {
    /** ATTACH, and not a byte more: what follows waits in the socket until the session can begin. */
    private static final int ATTACH_BYTES = Frame.HEADER + 20;

    /** Of one that waits so much is read, so that its end is seen. */
    private static final int MOST_AHEAD = 4096;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final SessionRouter router;
    private final MonitorLog log;
    private final Client client;
    private final FrameReader reader;
    private boolean hasAhead;

    ClientLink(SocketChannel channel, EventLoop loop, SessionRouter router, ByteBuffer sharedBuffer, MonitorLog log)
            throws IOException {
        this.channel = channel;
        this.router = router;
        this.log = log;
        client = new Client(new FrameOutput(channel));
        reader = new FrameReader(Sender.CLIENT, sharedBuffer, true);
        key = channel.register(loop.selector(), SelectionKey.OP_READ, this);
    }

    Client client() {
        return client;
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void receive(Frame frame) throws ProtocolException {
        router.fromClient(client, frame);
    }

    @Override
    public void run() {
        try {
            if (key.isWritable()) {
                client.output().flush();
            }
            if (key.isReadable() && client.isWaiting()) {
                hasAhead = true;
                if (reader.readAhead(channel, MOST_AHEAD) < 0) {
                    drop();
                }
            } else if (key.isReadable()) {
                int most = client.isAttached() ? Integer.MAX_VALUE : ATTACH_BYTES;
                if (reader.read(channel, most, this) < 0) {
                    drop();
                }
            }
        } catch (ProtocolException e) {
            log.line("a client broke the protocol: " + e.text());
            drop();
        } catch (IOException e) {
            drop();
        }
    }

    /**
     * Asks the loop for what is wanted next, and closes what is done with.
     *
     * @param mayRead whether there is room for what the client sends
     */
    void update(boolean mayRead) {
        if (hasAhead && mayRead && !client.isWaiting() && !client.isEnded()) {
            hasAhead = false;
            resume();
        }
        FrameOutput output = client.output();
        if (output.isBroken() || (client.isEnded() && output.backlog() == 0)) {
            drop();
        }
        if (key.isValid()) {
            boolean ahead = client.isWaiting() && client.mayBeReadAhead() && reader.ahead() < MOST_AHEAD;
            boolean reads = mayRead && !client.isEnded() && (ahead || !client.isWaiting());
            int wanted = (reads ? SelectionKey.OP_READ : 0) | (output.backlog() > 0 ? SelectionKey.OP_WRITE : 0);
            if (key.interestOps() != wanted) {
                key.interestOps(wanted);
            }
        }
    }

    private void resume() {
        try {
            reader.resume(this);
        } catch (ProtocolException e) {
            log.line("a client broke the protocol: " + e.text());
            drop();
        }
    }

    /** Ends the connection. */
    void drop() {
        if (channel.isOpen()) {
            Sockets.close(channel);
            router.clientGone(client);
        }
    }
}
