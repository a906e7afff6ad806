// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Passes session frames between the clients and the agent: renames the stream, checks state, bounds and credit, copies nothing that
 * the next socket takes at once. A breach by the agent is an exception of {@link #fromAgent}, one by a client an exception of
 * {@link #fromClient}.
 */
public final class SessionRouter {
    /** The number of the workload's session. */
    public static final int MAIN = 1;
    /** Exec sessions with a client at one time. */
    public static final int MAX_EXEC = 256;
    /** All sessions, those included whose client has gone while the process lives on. */
    public static final int MAX_SESSIONS = 4096;
    /** What exec clients are told when the container's end kills their process: 128 + SIGKILL. */
    public static final int KILLED = 137;

    /** Further containers have numbers from 2 on. */
    private static final int NO_MEMBER = 0;

    private static final byte[] NOTHING = {};

    private final MainSession events;
    private final Map<Integer, Session> sessions = new HashMap<>();
    private final List<Client> waiting = new ArrayList<>();
    /** Who wants to hear that a further container is gone. */
    private final List<Client> awaiting = new ArrayList<>();
    /** By the numbers of further containers, those whose main clients have come; each number is used once. */
    private final Set<Integer> members = new HashSet<>();
    /** … of these, those that have ended, or could not be started. */
    private final Set<Integer> membersGone = new HashSet<>();
    /** The main sessions of those, by their numbers. */
    private final Map<Integer, Session> membersMains = new HashMap<>();

    private @Nullable FrameOutput agent;
    private boolean ready;
    private boolean over;
    private boolean mainAttached;
    private boolean mainOpened;
    /** Whether the launch waits for a person at the main client's terminal. */
    private boolean paused;

    private int next = MAIN + 1;
    private int execClients;

    /** A router with no agent yet. */
    public SessionRouter(MainSession events) {
        this.events = events;
    }

    /** Opens the main session: the agent starts the workload when it is ready. */
    public void openMain(FrameOutput toAgent, Client main, byte[] records) {
        agent = toAgent;
        mainOpened = true;
        Session session = new Session(MAIN, main);
        session.setState(Session.State.OPEN);
        sessions.put(MAIN, session);
        sendOpen(toAgent, MAIN, records);
        main.setSession(session);
        main.setWaiting(false);
    }

    /** Opens the session of a further container's first process, of which the agent has been told: see {@link MainSession#memberAttached}. */
    public void openMember(FrameOutput toAgent, Client client, byte[] records) {
        begin(client);
        Session session = Objects.requireNonNull(client.session());
        session.setState(Session.State.OPEN);
        membersMains.put(client.container(), session);
        sendOpen(toAgent, session.number(), records);
        client.setWaiting(false);
        for (Client exec : List.copyOf(waiting)) {
            if (exec.container() == client.container()) {
                waiting.remove(exec);
                exec.setWaiting(false);
                begin(exec);
            }
        }
    }

    /** Whether a further container is being taken away, whose client has gone. */
    public boolean hasEndingMembers() {
        for (Session session : membersMains.values()) {
            if (session.client() == null) {
                return true;
            }
        }
        return false;
    }

    private void awaitEnd(Client client) {
        if (!over && members.contains(client.container()) && !membersGone.contains(client.container())) {
            awaiting.add(client);
        } else {
            Replies.exit(client, 0);
        }
    }

    /** Nobody starts in a further container any more, and nothing is left of it. */
    private void memberGone(int number) {
        membersGone.add(number);
        for (Client client : List.copyOf(awaiting)) {
            if (client.container() == number) {
                awaiting.remove(client);
                Replies.exit(client, 0);
            }
        }
        for (Client exec : List.copyOf(waiting)) {
            if (exec.container() == number) {
                waiting.remove(exec);
                exec.setWaiting(false);
                Replies.refuse(exec, "the container stopped before the process started");
            }
        }
    }

    /** A further container can not be started: its client hears why. */
    public void refuseMember(Client client, String text) {
        client.setWaiting(false);
        Replies.refuse(client, text);
        memberGone(client.container());
    }

    private static void sendOpen(FrameOutput toAgent, int number, byte[] records) {
        int from = 0;
        do {
            int length = Math.min(records.length - from, Frame.MAX_PAYLOAD - 1);
            byte[] piece = new byte[1 + length];
            System.arraycopy(records, from, piece, 1, length);
            from += length;
            piece[0] = (byte) (from == records.length ? 1 : 0);
            toAgent.send(FrameType.OPEN, number, piece);
        } while (from < records.length);
    }

    /** Has the main client run a shell, with that name in its prompt, before the workload's session is opened; {@link MainSession#resumed} tells its end. */
    public void pauseMain(Client main, String name) {
        main.output().send(FrameType.BREAK, Replies.CLIENT_STREAM, name.getBytes(StandardCharsets.US_ASCII));
        main.setWaiting(false);
        paused = true;
    }

    /** The agent takes exec sessions from now on. */
    public void ready() {
        ready = true;
        for (Client client : List.copyOf(waiting)) {
            if (client.isMembersMain()) {
                waiting.remove(client);
                events.memberAttached(client);
            } else if (client.container() == Client.FIRST_CONTAINER) {
                waiting.remove(client);
                client.setWaiting(false);
                begin(client);
            }
        }
    }

    /** The container has ended: exec clients hear that their process was killed, new ones that they are late. */
    public void endExecSessions() {
        over = true;
        for (Client client : waiting) {
            client.setWaiting(false);
            Replies.refuse(client, "the container stopped before the process started");
        }
        waiting.clear();
        for (Client client : awaiting) {
            Replies.exit(client, 0);
        }
        awaiting.clear();
        for (Session session : new ArrayList<>(sessions.values())) {
            Client client = session.client();
            if (client != null && session.number() != MAIN) {
                if (session.state() == Session.State.RUNNING) {
                    client.output().send(FrameType.EXIT, Replies.CLIENT_STREAM, new byte[] {(byte) KILLED, 0});
                } else {
                    Replies.refuse(client, "the container stopped before the process started");
                }
                end(session, client);
            }
        }
    }

    /** Takes a frame of a client. */
    public void fromClient(Client client, Frame frame) throws ProtocolException {
        if (frame.stream() != Replies.CLIENT_STREAM) {
            throw new ProtocolException("stream " + frame.stream() + " from a client");
        }
        if (frame.type() == FrameType.ATTACH) {
            attach(client, frame);
            return;
        }
        if (!client.isAttached()) {
            throw new ProtocolException("a frame " + frame.type() + " before ATTACH");
        }
        if (client.isForUpdate()) {
            update(client, frame);
            return;
        }
        if (client.isForUsage() || client.isForEnd()) {
            throw new ProtocolException("a frame " + frame.type() + " from a client that only listens");
        }
        if (frame.type() == FrameType.NETWORK_CHANGED) {
            if (!client.isMain()) {
                throw new ProtocolException("a frame " + frame.type() + " from a client that is not the main one");
            }
            events.networkChanged();
            return;
        }
        if (client.isForSignal() && !client.isEnded()) {
            signalWorkload(client, frame);
            return;
        }
        if (client.isMain() && !mainOpened && !client.isEnded()) {
            beforeMain(client, frame);
            return;
        }
        Session session = client.session();
        FrameOutput to = agent;
        if (session == null || to == null) {
            // Its process has ended while this was on its way: input that nobody reads any more.
            return;
        }
        session.take(frame);
        to.send(frame.restamp(session.number()));
        if (frame.type() == FrameType.RESIZE && session.number() == MAIN) {
            events.resized();
        }
    }

    /** The connection of a client has ended, or is about to. */
    public void clientGone(Client client) {
        waiting.remove(client);
        awaiting.remove(client);
        Session session = client.session();
        boolean main = client.isMain() && !client.isEnded();
        if (client.isMembersMain() && session == null && !client.isEnded()) {
            memberGone(client.container());
        }
        if (session != null && agent != null) {
            session.clientGone();
            if (session.number() != MAIN) {
                execClients--;
            }
            if (session.state() == Session.State.OPENING) {
                sessions.remove(session.number());
            }
            agent.send(FrameType.CLOSE, session.number(), NOTHING);
        }
        client.end();
        if (main) {
            events.lost();
        }
    }

    /** Takes a session frame of the agent. */
    public void fromAgent(Frame frame) throws ProtocolException {
        Session session = sessions.get(frame.stream());
        if (session == null) {
            throw new ProtocolException("a frame " + frame.type() + " for session "
                    + Integer.toUnsignedString(frame.stream()) + ", which is not open");
        }
        boolean started = session.state() == Session.State.RUNNING;
        boolean starts = frame.type() == FrameType.OPENED || frame.type() == FrameType.REFUSED;
        // One that can not be opened may be refused before the agent has all of it.
        boolean early = session.state() == Session.State.OPENING && frame.type() != FrameType.REFUSED;
        if (early || started == starts) {
            throw new ProtocolException("a frame " + frame.type() + " for session " + session.number()
                    + (started ? ", which runs" : ", which does not run"));
        }
        Client client = session.client();
        switch (frame.type()) {
            case OPENED -> opened(session, client, frame);
            case REFUSED, EXIT -> ended(session, client, frame);
            case STDOUT -> output(session, client, Session.STDOUT, frame);
            case STDERR -> output(session, client, Session.STDERR, frame);
            case CREDIT -> {
                if (frame.u8(0) != Session.STDIN) {
                    throw new ProtocolException("credit for channel " + frame.u8(0) + " from the agent");
                }
                session.grant(Session.STDIN, frame.i32(1));
                pass(client, frame);
            }
            case HELLO,
                    WELCOME,
                    MACHINE,
                    CONTAINER,
                    SET_UP,
                    READY,
                    FAILED,
                    LOG,
                    SHUTDOWN,
                    FINISHED,
                    ACK,
                    DNS_QUERY,
                    DNS_ANSWER,
                    CLOCK,
                    LISTENING,
                    RESOLVER,
                    NETWORK_CHANGED,
                    NETWORK,
                    NETWORK_SET,
                    LIMITS,
                    LIMITS_DONE,
                    UPDATE,
                    CONTAINER_LIMITS,
                    CONTAINER_LIMITS_DONE,
                    SHED,
                    SHED_DONE,
                    CLOCK_ASK,
                    USAGE_ASK,
                    USAGE,
                    ATTACH,
                    OPEN,
                    STDIN,
                    SIGNAL,
                    RESIZE,
                    CLOSE,
                    NOTICE,
                    BREAK,
                    SOCKETS,
                    SOCKET_OPEN,
                    SOCKET_DATA,
                    SOCKET_CREDIT,
                    SOCKET_CLOSE,
                    SOCKET_GONE,
                    FORWARD_OPEN,
                    LOCK,
                    LOCK_ANSWER,
                    FILE_WATCH,
                    FILE_UNWATCH,
                    FILE_WATCHED,
                    FILE_EVENTS -> throw new ProtocolException("a frame " + frame.type() + " for a session");
        }
    }

    private void attach(Client client, Frame frame) throws ProtocolException {
        client.attach(frame);
        if (client.isForSignal() || client.isForUpdate()) {
            return;
        }
        if (client.isForUsage()) {
            events.usageAsked(client);
            return;
        }
        if (client.isForEnd()) {
            awaitEnd(client);
            return;
        }
        if (client.isMain()) {
            if (mainAttached) {
                throw new ProtocolException("a second main client");
            }
            mainAttached = true;
            client.setWaiting(true);
            events.attached(client);
        } else if (client.isMembersMain() && members.contains(client.container())) {
            Replies.refuse(client, "container " + client.container() + " of this VM was started before");
        } else if (membersGone.contains(client.container())) {
            Replies.refuse(client, "the container does not run");
        } else if (over || execClients + waiting.size() >= MAX_EXEC || sessions.size() >= MAX_SESSIONS) {
            Replies.refuse(
                    client,
                    over ? "the container is stopping" : execClients + waiting.size() + " exec sessions are open");
        } else if (client.isMembersMain()) {
            members.add(client.container());
            client.setWaiting(true);
            if (ready) {
                events.memberAttached(client);
            } else {
                waiting.add(client);
            }
        } else if (ready
                && (client.container() == Client.FIRST_CONTAINER || membersMains.containsKey(client.container()))) {
            begin(client);
        } else {
            // For a further container: until its first process has been asked for.
            client.setWaiting(true);
            waiting.add(client);
        }
    }

    /** While the launch waits for a person: at any other time the main client is not read before its session is open. */
    private void beforeMain(Client main, Frame frame) throws ProtocolException {
        if (frame.type() == FrameType.RESIZE) {
            main.resize(frame.i32(0));
        } else if (frame.type() == FrameType.SIGNAL && Session.isSignal(frame.i32(0))) {
            events.signalled(frame.i32(0));
        } else if (frame.type() == FrameType.BREAK && frame.length() == 0 && paused) {
            paused = false;
            main.setWaiting(true);
            events.resumed();
        } else {
            throw new ProtocolException("a frame " + frame.type() + " before the workload's session");
        }
    }

    /** SIGSTOP stops dkvm-init, which could pass it on no more: so it comes this way. */
    private void signalWorkload(Client client, Frame frame) throws ProtocolException {
        if (frame.type() != FrameType.SIGNAL) {
            throw new ProtocolException("a frame " + frame.type() + " from a client for a signal");
        }
        Session workload = client.container() == Client.FIRST_CONTAINER
                ? sessions.get(MAIN)
                : membersMains.get(client.container());
        FrameOutput to = agent;
        if (workload == null || to == null || workload.state() != Session.State.RUNNING) {
            Replies.refuse(client, "the workload does not run");
            return;
        }
        workload.take(frame);
        to.send(frame.restamp(workload.number()));
        Replies.exit(client, 0);
    }

    private void update(Client client, Frame frame) throws ProtocolException {
        if (frame.type() != FrameType.UPDATE || client.hasAsked()) {
            throw new ProtocolException("a frame " + frame.type() + " from a client for an update");
        }
        client.setAsked();
        if (client.container() != Client.FIRST_CONTAINER) {
            if (membersMains.containsKey(client.container())) {
                events.memberUpdated(client);
            } else {
                Replies.refuse(client, "the container does not run");
            }
            return;
        }
        events.updated(client, new VmLimits(frame.i64(0), frame.i32(8), frame.i64(12)));
    }

    private void begin(Client client) {
        Session session = new Session(next++, client);
        sessions.put(session.number(), session);
        client.setSession(session);
        execClients++;
    }

    private void opened(Session session, @Nullable Client client, Frame frame) {
        session.setState(Session.State.RUNNING);
        pass(client, frame);
        if (session.number() == MAIN) {
            events.opened();
            return;
        }
        int member = memberOf(session);
        if (member != NO_MEMBER) {
            events.memberOpened(member);
        }
    }

    /** The further container whose main session it is. */
    private int memberOf(Session session) {
        for (Map.Entry<Integer, Session> member : membersMains.entrySet()) {
            if (member.getValue() == session) {
                return member.getKey();
            }
        }
        return NO_MEMBER;
    }

    private void output(Session session, @Nullable Client client, int channel, Frame frame) throws ProtocolException {
        session.spend(channel, frame.length());
        pass(client, frame);
    }

    private void ended(Session session, @Nullable Client client, Frame frame) {
        if (session.number() != MAIN) {
            pass(client, frame);
            end(session, client);
            return;
        }
        sessions.remove(MAIN);
        if (client != null) {
            client.setSession(null);
        }
        if (frame.type() == FrameType.EXIT) {
            events.exited(frame.u8(0));
        } else {
            byte[] payload = new byte[frame.length()];
            frame.payload().get(payload);
            events.refused(frame.u8(0), payload);
        }
    }

    private void end(Session session, @Nullable Client client) {
        sessions.remove(session.number());
        int member = memberOf(session);
        if (member != NO_MEMBER) {
            membersMains.remove(member);
            memberGone(member);
            events.memberEnded(member);
        }
        if (client != null) {
            execClients--;
            client.end();
        }
    }

    private static void pass(@Nullable Client client, Frame frame) {
        if (client != null) {
            ByteBuffer bytes = frame.restamp(Replies.CLIENT_STREAM);
            client.output().send(bytes);
        }
    }
}
