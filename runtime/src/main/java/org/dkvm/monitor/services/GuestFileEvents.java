// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
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
 * Passes frames between the agent, whose kernel says what of the share its programs watch, and {@code dkvm-events}, which watches it outside (protocol/PROTOCOL.md,
 * "File events"). The program is started when there is something to watch. Without it the VM goes on, and hears nothing of what others change.
 */
public final class GuestFileEvents implements FrameReceiver, AgentLink.Events {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-events";
    private static final int WATCHES = 8192;
    /** How many of the guest's frames may be without an answer: what waits here is bounded by that. */
    private static final int UNANSWERED = 64;

    /** EPIPE. */
    private static final int BROKEN = 32;
    /** See inotify(7). */
    private static final int IN_Q_OVERFLOW = 0x4000;

    private static final int EVENT_HEADER = 14;

    /** Starts the program, which then connects. */
    @FunctionalInterface
    public interface Starter {
        void start(GuestFileEvents events) throws DkvmException;
    }

    private final ProgramLink program;
    private final MonitorLog log;
    private final Consumer<ByteBuffer> toAgent;
    private final Starter starter;
    /** The guest's numbers of what it waits for, in order. */
    private final Deque<Integer> unanswered = new ArrayDeque<>();

    /** The numbers that are watched. */
    private final BitSet watched = new BitSet();

    private boolean started;
    private boolean lost;
    private boolean toldMost;

    GuestFileEvents(EventLoop loop, MonitorLog log, Consumer<ByteBuffer> toAgent, Starter starter) {
        program = new ProgramLink(loop, this, this);
        this.log = log;
        this.toAgent = toAgent;
        this.starter = starter;
    }

    /**
     * The command line of the program that watches.
     *
     * @param monitor where it finds this process
     * @param share what virtiofsd serves
     */
    public static List<String> argv(Path monitor, Path share) {
        return List.of(PROGRAM, monitor.toString(), share.toString());
    }

    /** The program is there. */
    public void connected(SocketChannel channel) throws IOException {
        if (lost) {
            channel.close();
            return;
        }
        program.connected(channel);
    }

    /** It was waited for long enough. */
    public void late() {
        if (!program.isConnected()) {
            lose("dkvm-events did not start");
        }
    }

    /** The program has ended, which its words may explain. */
    public void ended(String obituary) {
        lose(obituary);
    }

    /** Takes a frame of the guest's. */
    void fromAgent(Frame frame) throws ProtocolException {
        int number = frame.stream();
        if (number < 1 || number > WATCHES) {
            throw new ProtocolException("a watch of number " + Integer.toUnsignedString(number));
        }
        if (unanswered.size() >= UNANSWERED) {
            throw new ProtocolException("more than " + UNANSWERED + " watches without an answer");
        }
        unanswered.add(number);
        count(frame.type(), number);
        if (!started) {
            started = true;
            start();
        }
        // What is lost is answered when the agent takes more: see update.
        if (!lost) {
            program.send(frame, number);
        }
    }

    /** What every round ends with. */
    void update(boolean agentTakesMore) {
        program.update(agentTakesMore);
        if (lost && agentTakesMore) {
            giveUp();
        }
    }

    @Override
    public void receive(Frame frame) throws ProtocolException {
        if (frame.type() == FrameType.FILE_WATCHED) {
            Integer next = unanswered.peek();
            if (next == null || next != frame.stream()) {
                throw new ProtocolException("an answer to what was not asked");
            }
            unanswered.remove();
        } else if (frame.type() != FrameType.FILE_EVENTS || frame.stream() != 0) {
            throw new ProtocolException("a frame " + frame.type() + " from dkvm-events");
        }
        toAgent.accept(frame.restamp(frame.stream()));
    }

    @Override
    public void broken(ProtocolException breach) {
        lose("dkvm-events broke the protocol: " + breach.text());
    }

    @Override
    public void closed() {
        lose("dkvm-events has hung up");
    }

    /** The guest's kernel asks for no more than that, and says nothing of what it does not ask for. */
    private void count(FrameType type, int number) {
        watched.set(number, type == FrameType.FILE_WATCH);
        if (!toldMost && watched.cardinality() == WATCHES) {
            toldMost = true;
            log.line("programs of the guest watch " + WATCHES
                    + " files and directories in its mounts, which is the most: changes of further ones from outside are not heard"
                    + " (docs/workloads.md, \"Hot reload\")");
        }
    }

    private void start() {
        try {
            starter.start(this);
        } catch (DkvmException e) {
            lose(e.text());
        }
    }

    /** Nothing is heard any more: who watches is told once that it may have missed something. */
    private void lose(String why) {
        if (lost) {
            return;
        }
        lost = true;
        program.forget();
        log.line("changes of files from outside are not heard any more: " + why);
        giveUp();
        ByteBuffer missed = ByteBuffer.allocate(EVENT_HEADER).order(ByteOrder.LITTLE_ENDIAN);
        missed.putInt(IN_Q_OVERFLOW);
        toAgent.accept(Frame.make(FrameType.FILE_EVENTS, 0, missed.array()));
    }

    private void giveUp() {
        for (Integer number = unanswered.poll(); number != null; number = unanswered.poll()) {
            toAgent.accept(Frame.make(FrameType.FILE_WATCHED, number, new byte[] {BROKEN, 0, 0, 0}));
        }
    }
}
