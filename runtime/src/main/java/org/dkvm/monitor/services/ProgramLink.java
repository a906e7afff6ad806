// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReceiver;
import org.dkvm.agent.Sender;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.jspecify.annotations.Nullable;

/** The connection of a program of the sandbox that does something for the guest: it may be sent frames before it is there. */
final class ProgramLink {
    /** Bytes that wait for the program to start above which the agent is not read any more: hundreds of requests, which no kernel makes in that time. */
    private static final int EARLY_MOST = 256 * 1024;

    private final EventLoop loop;
    private final FrameReceiver receiver;
    private final AgentLink.Events events;
    private final Deque<ByteBuffer> early = new ArrayDeque<>();
    private int earlyBytes;
    private @Nullable AgentLink link;

    ProgramLink(EventLoop loop, FrameReceiver receiver, AgentLink.Events events) {
        this.loop = loop;
        this.receiver = receiver;
        this.events = events;
    }

    /** The program is there. */
    void connected(SocketChannel channel) throws IOException {
        AgentLink program = new AgentLink(channel, loop, Sender.MONITOR, receiver, events);
        link = program;
        for (ByteBuffer frame : early) {
            program.output().send(frame);
        }
        clear();
    }

    boolean isConnected() {
        return link != null;
    }

    /** Passes a frame of the guest's on, now or when the program is there, as one of that stream. */
    void send(Frame frame, int stream) {
        AgentLink program = link;
        if (program != null) {
            program.output().send(frame.restamp(stream));
            return;
        }
        byte[] payload = new byte[frame.length()];
        frame.payload().get(payload);
        early.add(Frame.make(frame.type(), stream, payload));
        earlyBytes += payload.length;
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

    /** The program is not sent anything any more. */
    void forget() {
        link = null;
        clear();
    }

    private void clear() {
        early.clear();
        earlyBytes = 0;
    }
}
