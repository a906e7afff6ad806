// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.dkvm.agent.AgentServices;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.VmLimits;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.network.HotNetwork;
import org.dkvm.monitor.network.PortForwards;
import org.dkvm.network.GuestPort;
import org.jspecify.annotations.Nullable;

/** What the monitor does for a guest besides its sessions. Each service is made when it is first wanted. */
public final class GuestServices implements AgentServices {
    /** Makes the service of networks that change, for the agent at that link. */
    public interface NetworkMaker {
        HotNetwork make(AgentLink link);
    }

    private static final int LIMITS_BYTES = 21;
    private static final byte[] NOTHING = {};

    private final EventLoop loop;
    private final GuestDns dns;
    private @Nullable GuestSockets sockets;
    private @Nullable GuestForwards localhost;
    private @Nullable GuestLocks locks;
    private @Nullable GuestFileEvents files;
    private @Nullable AgentLink agent;
    private @Nullable IntConsumer limits;
    private @Nullable Runnable shed;
    private @Nullable Consumer<byte[]> usage;
    /** Orders for it that may still be answered. */
    private int usageOrders;

    private @Nullable PortForwards forwards;
    private @Nullable NetworkMaker networkMaker;
    private @Nullable HotNetwork network;
    private boolean ready;
    private boolean networkChanged;

    public GuestServices(EventLoop loop) {
        this.loop = loop;
        dns = new GuestDns(loop, this::dnsAnswer);
    }

    /** The agent's channel is there. */
    public void connected(AgentLink link) {
        agent = link;
    }

    /** The guest's ports are opened in a namespace that it shares with others, and its resolver is one of that. */
    public void share(PortForwards ports) {
        forwards = ports;
    }

    /** The VM has been started with a network that may change. */
    public void networkBy(NetworkMaker maker) {
        networkMaker = maker;
    }

    /** The guest is set up. */
    public void ready() {
        ready = true;
        if (networkChanged) {
            networkChanged();
        }
    }

    /** The sandbox's network has changed; before the guest is set up that is kept in mind. */
    public void networkChanged() {
        networkChanged = true;
        AgentLink link = agent;
        NetworkMaker maker = networkMaker;
        if (!ready || link == null || maker == null) {
            return;
        }
        HotNetwork told = network;
        if (told == null) {
            told = maker.make(link);
            network = told;
        }
        told.changed();
    }

    /** Nobody waits for anything any more. */
    public void end() {
        dns.end();
        PortForwards ports = forwards;
        if (ports != null) {
            ports.end();
        }
        HotNetwork told = network;
        if (told != null) {
            told.end();
        }
        agent = null;
    }

    /** The guest is given sockets of the host; once, whatever becomes of the program that connects to them. */
    public GuestSockets openSockets(MonitorLog log, GuestSockets.Failed failed) {
        GuestSockets opened = sockets;
        if (opened == null) {
            opened = new GuestSockets(loop, log, this::toAgent, failed);
            sockets = opened;
        }
        return opened;
    }

    /** dkvm-forward is there, which somebody from outside has connected to; nobody else is taken for it. */
    public void forwards(SocketChannel program, MonitorLog log) throws IOException {
        if (localhost != null || agent == null) {
            program.close();
            return;
        }
        GuestForwards made = new GuestForwards(loop, log, this::toAgent);
        localhost = made;
        made.connected(program);
    }

    /** The guest's locks of files are taken on the host, by the program that is started then. */
    public void locksBy(MonitorLog log, GuestLocks.Failed failed, GuestLocks.Starter starter) {
        locks = new GuestLocks(loop, log, this::toAgent, failed, starter);
    }

    /** The guest is told what others change in its mounts, by a program that is started when it first watches something. */
    public void fileEventsBy(MonitorLog log, GuestFileEvents.Starter starter) {
        files = new GuestFileEvents(loop, log, this::toAgent, starter);
    }

    /** What every round ends with. */
    public void update(boolean agentIsFull) {
        GuestSockets given = sockets;
        if (given != null) {
            given.update(!agentIsFull);
        }
        GuestForwards from = localhost;
        if (from != null) {
            from.update(!agentIsFull);
        }
        GuestLocks shared = locks;
        if (shared != null) {
            shared.update(!agentIsFull);
        }
        GuestFileEvents heard = files;
        if (heard != null) {
            heard.update(!agentIsFull);
        }
    }

    /** Whether the agent may send more. */
    public boolean takeMore() {
        GuestSockets given = sockets;
        GuestForwards from = localhost;
        GuestLocks shared = locks;
        return (given == null || !given.isFull())
                && (from == null || !from.isFull())
                && (shared == null || !shared.isFull());
    }

    /** A container's records, and those of its sockets. */
    public byte[] withSockets(byte[] container) {
        GuestSockets given = sockets;
        return given == null ? container : given.after(container);
    }

    @Override
    public void socketFrame(Frame frame) throws ProtocolException {
        GuestForwards from = localhost;
        if (from != null && GuestForwards.isOf(frame.stream())) {
            from.fromAgent(frame);
            return;
        }
        GuestSockets given = sockets;
        if (given == null) {
            throw new ProtocolException("a frame " + frame.type() + " from a guest without sockets");
        }
        given.fromAgent(frame);
    }

    @Override
    public void lockFrame(Frame frame) throws ProtocolException {
        GuestLocks shared = locks;
        if (shared == null) {
            throw new ProtocolException("a frame " + frame.type() + " from a guest whose locks are its own");
        }
        shared.fromAgent(frame);
    }

    @Override
    public void fileFrame(Frame frame) throws ProtocolException {
        GuestFileEvents heard = files;
        if (heard == null) {
            throw new ProtocolException("a frame " + frame.type() + " before the VM was started");
        }
        heard.fromAgent(frame);
    }

    private void toAgent(ByteBuffer frame) {
        AgentLink link = agent;
        if (link != null) {
            link.output().send(frame);
        }
    }

    @Override
    public void dnsQuery(int id, boolean tcp, ByteBuffer message) {
        dns.ask(id, tcp, message);
    }

    @Override
    public void resolver(byte[] address) {
        // In a namespace of its own there is the engine's resolver, and nothing else for it to ask.
        if (forwards != null) {
            dns.resolver(address);
        }
    }

    /**
     * Has the agent change the workload's limits; one change at a time.
     *
     * @param memory bytes that the VM is going to have more; less where negative
     * @param answer takes LIMITS_DONE's number; not called when the guest goes
     */
    public void changeLimits(VmLimits wanted, long memory, IntConsumer answer) {
        AgentLink link = agent;
        if (link != null) {
            limits = answer;
            ByteBuffer payload = ByteBuffer.allocate(LIMITS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            payload.putInt(wanted.processors()).putLong(wanted.pids()).put((byte) (memory > 0 ? 1 : 0));
            payload.putLong(Math.max(0, -memory));
            link.output().send(FrameType.LIMITS, 0, payload.array());
        }
    }

    /**
     * Has the guest give back names and inodes of files that nobody uses, one order at a time.
     *
     * @param answer called when it has; not when the guest goes
     */
    public void shed(Runnable answer) {
        AgentLink link = agent;
        if (link != null) {
            shed = answer;
            link.output().send(FrameType.SHED, 0, NOTHING);
        }
    }

    @Override
    public void shedDone() throws ProtocolException {
        Runnable answer = shed;
        if (answer == null) {
            throw new ProtocolException("a SHED_DONE that answers nothing");
        }
        shed = null;
        answer.run();
    }

    /**
     * Has the agent tell what the guest uses. Of orders that come while it looks it answers the first only.
     *
     * @param answer takes what it says, nothing where it can not tell; not called when the guest goes, or does not answer
     */
    public void askUsage(Consumer<byte[]> answer) {
        AgentLink link = agent;
        if (link != null) {
            usage = answer;
            usageOrders++;
            link.output().send(FrameType.USAGE_ASK, 0, NOTHING);
        }
    }

    @Override
    public void usage(ByteBuffer report) throws ProtocolException {
        Consumer<byte[]> answer = usage;
        if (answer == null || usageOrders == 0) {
            throw new ProtocolException("a USAGE that answers nothing");
        }
        usageOrders--;
        byte[] bytes = new byte[report.remaining()];
        report.get(bytes);
        answer.accept(bytes);
    }

    @Override
    public void clockAsked(long number) {
        AgentLink link = agent;
        // A late answer is worth little, and a guest that does not read gets none.
        if (link != null && !link.isFull()) {
            ByteBuffer payload = ByteBuffer.allocate(2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            payload.putLong(ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now()))
                    .putLong(number);
            link.output().send(FrameType.CLOCK, 0, payload.array());
        }
    }

    @Override
    public void listening(ByteBuffer list) {
        PortForwards ports = forwards;
        if (ports != null) {
            ports.listening(GuestPort.list(list));
        }
    }

    @Override
    public void networkSet(int number, boolean done, String text) throws ProtocolException {
        HotNetwork told = network;
        if (told == null) {
            throw new ProtocolException("an answer to a change of the network, which has not changed");
        }
        told.set(number, done, text);
    }

    @Override
    public void limitsDone(int result) throws ProtocolException {
        IntConsumer answer = limits;
        if (answer == null) {
            throw new ProtocolException("a LIMITS_DONE that answers nothing");
        }
        limits = null;
        answer.accept(result);
    }

    private void dnsAnswer(int id, ByteBuffer message) {
        AgentLink link = agent;
        // A guest that does not read does not need answers either.
        if (link != null && !link.isFull()) {
            byte[] payload = new byte[message.remaining()];
            message.get(payload);
            link.output().send(FrameType.DNS_ANSWER, id, payload);
        }
    }
}
