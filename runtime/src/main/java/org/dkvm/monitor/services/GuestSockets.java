// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.jspecify.annotations.Nullable;

/**
 * Passes frames between the agent, to whose sockets the guest's programs connect, and {@code dkvm-sockets}, which connects to the real ones (protocol/PROTOCOL.md,
 * "Sockets"). Those two count credit; what waits here is bounded as each is read only while the other takes more.
 */
public final class GuestSockets implements FrameReceiver, AgentLink.Events {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-sockets";

    /** The sockets can not be relayed any more. */
    @FunctionalInterface
    public interface Failed {
        void fail(String text);
    }

    private final ProgramLink program;
    private final MonitorLog log;
    private final Consumer<ByteBuffer> toAgent;
    private final Failed failed;
    private byte @Nullable [] records;

    GuestSockets(EventLoop loop, MonitorLog log, Consumer<ByteBuffer> toAgent, Failed failed) {
        program = new ProgramLink(loop, this, this);
        this.log = log;
        this.toAgent = toAgent;
        this.failed = failed;
    }

    /**
     * The command line of the program that connects to them.
     *
     * @param monitor where it finds this process
     */
    public static List<String> argv(Path monitor, int count) {
        return List.of(PROGRAM, monitor.toString(), SandboxPaths.SOCKETS, Integer.toString(count));
    }

    /** The program is there. */
    public void connected(SocketChannel channel) throws IOException {
        program.connected(channel);
    }

    /** Whether it has said what the sockets are like. */
    public boolean haveReported() {
        return records != null;
    }

    /** A container's records, and those of the sockets. */
    byte[] after(byte[] container) {
        byte[] own = records;
        if (own == null) {
            return container;
        }
        byte[] all = Arrays.copyOf(container, container.length + own.length);
        System.arraycopy(own, 0, all, container.length, own.length);
        return all;
    }

    /** Passes a frame of the guest's on. */
    void fromAgent(Frame frame) throws ProtocolException {
        if (!program.isConnected()) {
            throw new ProtocolException("a frame " + frame.type() + " before there are sockets");
        }
        program.send(frame, frame.stream());
    }

    /** Whether so much waits for the program that the agent may not send more. */
    boolean isFull() {
        return program.isFull();
    }

    /** What every round ends with. */
    void update(boolean agentTakesMore) {
        program.update(agentTakesMore);
    }

    @Override
    public void receive(Frame frame) throws ProtocolException {
        if (!frame.type().isSocket() || frame.type() == FrameType.SOCKET_OPEN) {
            throw new ProtocolException("a frame " + frame.type() + " from dkvm-sockets");
        }
        if (frame.type() == FrameType.SOCKETS) {
            byte[] payload = new byte[frame.length()];
            frame.payload().get(payload);
            records = payload;
        } else {
            toAgent.accept(frame.restamp(frame.stream()));
        }
    }

    @Override
    public void broken(ProtocolException breach) {
        failed.fail("dkvm-sockets broke the protocol: " + breach.text());
    }

    @Override
    public void closed() {
        // Why, its process's end tells.
        log.line("dkvm-sockets has hung up");
    }
}
