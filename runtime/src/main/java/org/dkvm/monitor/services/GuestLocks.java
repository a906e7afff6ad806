// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.Sender;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.jspecify.annotations.Nullable;

/**
 * Passes frames between the agent, which speaks for the guest's kernel, and {@code dkvm-locks}, which has the locks on the host (protocol/PROTOCOL.md, "Locks"). The program is
 * started when the guest takes its first lock. What waits here is bounded as each is read only while the other takes more.
 */
public final class GuestLocks implements FrameReceiver, AgentLink.Events {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-locks";

    /** Bytes of requests that wait for the program to start above which the agent is not read any more: hundreds of requests, which no kernel makes in that time. */
    private static final int EARLY_MOST = 256 * 1024;

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

    private final EventLoop loop;
    private final MonitorLog log;
    private final Consumer<ByteBuffer> toAgent;
    private final Failed failed;
    private final Starter starter;
    /** What came before the program was there. */
    private final Queue<byte[]> early = new ArrayDeque<>();

    private int earlyBytes;
    private boolean started;
    private @Nullable AgentLink link;

    GuestLocks(EventLoop loop, MonitorLog log, Consumer<ByteBuffer> toAgent, Failed failed, Starter starter) {
        this.loop = loop;
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
        AgentLink program = new AgentLink(channel, loop, Sender.MONITOR, this, this);
        link = program;
        for (byte[] payload : early) {
            program.output().send(FrameType.LOCK, 0, payload);
        }
        early.clear();
    }

    /** Whether the program has connected. */
    public boolean isConnected() {
        return link != null;
    }

    /** Passes a frame of the guest's on. */
    void fromAgent(Frame frame) {
        AgentLink program = link;
        if (program != null) {
            program.output().send(frame.restamp(0));
            return;
        }
        byte[] payload = new byte[frame.length()];
        frame.payload().get(payload);
        early.add(payload);
        earlyBytes += payload.length;
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
        AgentLink program = link;
        return program == null ? earlyBytes >= EARLY_MOST : program.isFull();
    }

    /** What every round ends with. */
    void update(boolean agentTakesMore) {
        AgentLink program = link;
        if (program != null) {
            program.update(agentTakesMore);
        }
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
