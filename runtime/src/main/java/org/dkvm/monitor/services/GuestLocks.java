// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;

/**
 * Passes frames between the agent, which speaks for the guest's kernel, and {@code dkvm-locks}, which has the locks on the host (protocol/PROTOCOL.md, "Locks"). The program is
 * started when the guest takes its first lock. What waits here is bounded as each is read only while the other takes more.
 */
public final class GuestLocks implements FrameReceiver, AgentLink.Events {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-locks";

    /** The guest's locks are lost: whoever relies on them must not go on. */
    @FunctionalInterface
    public interface Failed {
        void fail(String text);
    }

    /** Has the program started, which then connects. */
    @FunctionalInterface
    public interface Starter {
        void start(GuestLocks locks) throws DkvmException;
    }

    private final ProgramLink program;
    private final MonitorLog log;
    private final Consumer<ByteBuffer> toAgent;
    private final Failed failed;
    private final Starter starter;
    private boolean started;

    GuestLocks(EventLoop loop, MonitorLog log, Consumer<ByteBuffer> toAgent, Failed failed, Starter starter) {
        program = new ProgramLink(loop, this, this);
        this.log = log;
        this.toAgent = toAgent;
        this.failed = failed;
        this.starter = starter;
    }

    /**
     * The command line of the program that has them.
     *
     * @param monitor where it finds this process
     * @param share what the guest's files are below
     */
    public static List<String> argv(Path monitor, Path share) {
        return List.of(PROGRAM, monitor.toString(), share.toString());
    }

    /** The program is there. */
    public void connected(SocketChannel channel) throws IOException {
        program.connected(channel);
    }

    /** Whether the program has connected. */
    public boolean isConnected() {
        return program.isConnected();
    }

    /** Passes a frame of the guest's on. */
    void fromAgent(Frame frame) {
        program.send(frame, 0);
        if (!started) {
            started = true;
            try {
                starter.start(this);
            } catch (DkvmException e) {
                failed.fail(e.text());
            }
        }
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
        if (frame.type() != FrameType.LOCK_ANSWER || frame.stream() != 0) {
            throw new ProtocolException("a frame " + frame.type() + " from dkvm-locks");
        }
        toAgent.accept(frame.restamp(0));
    }

    @Override
    public void broken(ProtocolException breach) {
        failed.fail("dkvm-locks broke the protocol: " + breach.text());
    }

    @Override
    public void closed() {
        // Why, its process's end tells.
        log.line("dkvm-locks has hung up");
    }
}
