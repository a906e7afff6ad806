// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.dkvm.agent.FrameOutput;
import org.dkvm.agent.FrameReader;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.Sender;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.Sockets;

/** A channel that carries frames of many streams: QEMU's end of the virtio-serial port, or the connection of {@code dkvm-sockets}. */
public final class AgentLink implements Runnable {
    /** Bytes waiting for the other side above which who sends to it is not read any more. */
    static final int FULL = 1024 * 1024;

    private static final int BUFFER = 128 * 1024;

    /** What can happen to the channel. */
    public interface Events {
        /** The other side broke the protocol. */
        void broken(ProtocolException breach);

        /** The other side has closed its end. */
        void closed();
    }

    private final SocketChannel channel;
    private final SelectionKey key;
    private final FrameReceiver receiver;
    private final FrameOutput output;
    private final FrameReader reader;
    private final Events events;

    public AgentLink(SocketChannel channel, EventLoop loop, Sender sender, FrameReceiver receiver, Events events)
            throws IOException {
        reader = new FrameReader(sender, ByteBuffer.allocateDirect(BUFFER), false);
        this.channel = channel;
        this.receiver = receiver;
        this.events = events;
        output = new FrameOutput(channel);
        key = channel.register(loop.selector(), SelectionKey.OP_READ, this);
    }

    public FrameOutput output() {
        return output;
    }

    /** Whether so much waits for the guest that nobody may send it more. */
    public boolean isFull() {
        return output.backlog() >= FULL;
    }

    @Override
    public void run() {
        try {
            if (key.isWritable()) {
                output.flush();
            }
            if (key.isReadable() && reader.read(channel, BUFFER, receiver) < 0) {
                close();
                events.closed();
            }
        } catch (ProtocolException e) {
            close();
            events.broken(e);
        } catch (IOException e) {
            close();
            events.closed();
        }
    }

    /**
     * Asks the loop for what is wanted next.
     *
     * @param mayRead whether there is room for what the other side sends
     */
    public void update(boolean mayRead) {
        if (key.isValid()) {
            int wanted = (mayRead ? SelectionKey.OP_READ : 0) | (output.backlog() > 0 ? SelectionKey.OP_WRITE : 0);
            if (key.interestOps() != wanted) {
                key.interestOps(wanted);
            }
        }
    }

    public void close() {
        Sockets.close(channel);
    }
}
