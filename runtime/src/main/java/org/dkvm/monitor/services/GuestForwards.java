// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.BitSet;
import java.util.function.Consumer;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;

/**
 * Passes frames between {@code dkvm-forward}, which has connections from the host to localhost of a pod, and the agent, which connects to the guest's servers
 * (protocol/PROTOCOL.md, "Forwarded connections"). What waits here is bounded as each is read only while the other takes more. The VM goes on without that program.
 */
final class GuestForwards implements FrameReceiver, AgentLink.Events {
    /** The streams of connections to the host's sockets come first. */
    private static final int FIRST = 257;

    private static final int LAST = 512;
    private static final byte ECONNRESET = 104;

    private final ProgramLink program;
    private final MonitorLog log;
    private final Consumer<ByteBuffer> toAgent;
    /** Those of which the program has more to say. */
    private final BitSet open = new BitSet();

    private boolean lost;

    GuestForwards(EventLoop loop, MonitorLog log, Consumer<ByteBuffer> toAgent) {
        program = new ProgramLink(loop, this, this);
        this.log = log;
        this.toAgent = toAgent;
    }

    /** Whether a frame of that stream is one of such a connection's. */
    static boolean isOf(int stream) {
        return stream >= FIRST && stream <= LAST;
    }

    /** The program is there. */
    void connected(SocketChannel channel) throws IOException {
        program.connected(channel);
    }

    /** Passes a frame of the guest's on. */
    void fromAgent(Frame frame) throws ProtocolException {
        if (frame.type() == FrameType.SOCKET_OPEN) {
            throw new ProtocolException("a connection of the guest's on stream " + frame.stream());
        }
        if (!lost) {
            program.send(frame, frame.stream());
        }
    }

    /** Whether so much waits for the program that the agent may not send more. */
    boolean isFull() {
        return !lost && program.isFull();
    }

    /** What every round ends with. */
    void update(boolean agentTakesMore) {
        program.update(agentTakesMore);
    }

    @Override
    public void receive(Frame frame) throws ProtocolException {
        FrameType type = frame.type();
        boolean told = type == FrameType.FORWARD_OPEN
                || type == FrameType.SOCKET_DATA
                || type == FrameType.SOCKET_CREDIT
                || type == FrameType.SOCKET_CLOSE;
        if (!told || !isOf(frame.stream())) {
            throw new ProtocolException("a frame " + type + " from dkvm-forward");
        }
        if (type == FrameType.FORWARD_OPEN) {
            open.set(frame.stream());
        } else if (type == FrameType.SOCKET_CLOSE) {
            open.clear(frame.stream());
        }
        toAgent.accept(frame.restamp(frame.stream()));
    }

    @Override
    public void broken(ProtocolException breach) {
        lose("dkvm-forward broke the protocol: " + breach.text());
    }

    @Override
    public void closed() {
        lose("dkvm-forward has hung up");
    }

    /** The guest's servers see their clients gone; who connects from now on is refused, as nobody has the listening sockets. */
    private void lose(String why) {
        if (lost) {
            return;
        }
        lost = true;
        program.forget();
        log.line("localhost of the pod can not be reached from the host any more (kubectl port-forward): " + why);
        for (int stream = open.nextSetBit(0); stream >= 0; stream = open.nextSetBit(stream + 1)) {
            toAgent.accept(Frame.make(FrameType.SOCKET_CLOSE, stream, new byte[] {ECONNRESET, 0, 0, 0}));
        }
        open.clear();
    }
}
