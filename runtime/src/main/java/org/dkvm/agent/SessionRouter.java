// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    /** The longest notice, in bytes. */
    public static final int MAX_NOTICE = 4096;
    /** What exec clients are told when the container's end kills their process: 128 + SIGKILL. */
    public static final int KILLED = 137;

    /** The session socket's only stream. */
    private static final int CLIENT_STREAM = 1;
    /** docker exec's exit code for a process that could not be started. */
    private static final int CAN_NOT_EXEC = 126;

    private static final int MAX_SIGNAL = 64;
    private static final byte[] NOTHING = {};

    private final MainSession events;
    private final Map<Integer, Session> sessions = new HashMap<>();
    private final List<Client> waiting = new ArrayList<>();
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
        int from = 0;
        do {
            int length = Math.min(records.length - from, Frame.MAX_PAYLOAD - 1);
            byte[] piece = new byte[1 + length];
            System.arraycopy(records, from, piece, 1, length);
            from += length;
            piece[0] = (byte) (from == records.length ? 1 : 0);
            toAgent.send(FrameType.OPEN, MAIN, piece);
        } while (from < records.length);
        main.setSession(session);
        main.setWaiting(false);
    }

    /** Has the main client run a shell, with that name in its prompt, before the workload's session is opened; {@link MainSession#resumed} tells its end. */
    public void pauseMain(Client main, String name) {
        main.output().send(FrameType.BREAK, CLIENT_STREAM, name.getBytes(StandardCharsets.US_ASCII));
        main.setWaiting(false);
        paused = true;
    }

    /** The agent takes exec sessions from now on. */
    public void ready() {
        ready = true;
        for (Client client : waiting) {
            client.setWaiting(false);
            begin(client);
        }
        waiting.clear();
    }

    /** The container has ended: exec clients hear that their process was killed, new ones that they are late. */
    public void endExecSessions() {
        over = true;
        for (Client client : waiting) {
            client.setWaiting(false);
            refuse(client, "the container stopped before the process started");
        }
        waiting.clear();
        for (Session session : new ArrayList<>(sessions.values())) {
            Client client = session.client();
            if (client != null && session.number() != MAIN) {
                if (session.state() == Session.State.RUNNING) {
                    client.output().send(FrameType.EXIT, CLIENT_STREAM, new byte[] {(byte) KILLED, 0});
                } else {
                    refuse(client, "the container stopped before the process started");
                }
                end(session, client);
            }
        }
    }

    /** Tells the main client the container's exit code, its last frame. */
    public void endMain(Client main, int exitCode) {
        main.output().send(FrameType.EXIT, CLIENT_STREAM, new byte[] {(byte) exitCode, 0});
        main.end();
    }

    /** Tells the main client that the workload could not be started, its last frame; the payload is the agent's. */
    public void refuseMain(Client main, ByteBuffer refusal) {
        byte[] payload = new byte[refusal.remaining()];
        refusal.get(refusal.position(), payload);
        main.output().send(FrameType.REFUSED, CLIENT_STREAM, payload);
        main.end();
    }

    /** Shows a text on a client's standard error; at most {@link #MAX_NOTICE} bytes. */
    public static void notice(Client client, byte[] utf8) {
        client.output().send(FrameType.NOTICE, CLIENT_STREAM, utf8);
    }

    /** Takes a frame of a client. */
    public void fromClient(Client client, Frame frame) throws ProtocolException {
        if (frame.stream() != CLIENT_STREAM) {
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
        check(session, frame);
        to.send(frame.restamp(session.number()));
        if (frame.type() == FrameType.RESIZE && session.number() == MAIN) {
            events.resized();
        }
    }

    /** The connection of a client has ended, or is about to. */
    public void clientGone(Client client) {
        waiting.remove(client);
        Session session = client.session();
        boolean main = client.isMain() && !client.isEnded();
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
                    CONFIG,
                    CONFIG_END,
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
                    SOCKET_GONE -> throw new ProtocolException("a frame " + frame.type() + " for a session");
        }
    }

    private void attach(Client client, Frame frame) throws ProtocolException {
        client.attach(frame);
        if (client.isForSignal() || client.isForUpdate()) {
            return;
        }
        if (client.isMain()) {
            if (mainAttached) {
                throw new ProtocolException("a second main client");
            }
            mainAttached = true;
            client.setWaiting(true);
            events.attached(client);
        } else if (over || execClients + waiting.size() >= MAX_EXEC || sessions.size() >= MAX_SESSIONS) {
            refuse(
                    client,
                    over ? "the container is stopping" : execClients + waiting.size() + " exec sessions are open");
        } else if (ready) {
            begin(client);
        } else {
            client.setWaiting(true);
            waiting.add(client);
        }
    }

    /** While the launch waits for a person: at any other time the main client is not read before its session is open. */
    private void beforeMain(Client main, Frame frame) throws ProtocolException {
        if (frame.type() == FrameType.RESIZE) {
            main.resize(frame.i32(0));
        } else if (frame.type() == FrameType.SIGNAL && isSignal(frame.i32(0))) {
            events.signalled(frame.i32(0));
        } else if (frame.type() == FrameType.BREAK && frame.length() == 0 && paused) {
            paused = false;
            main.setWaiting(true);
            events.resumed();
        } else {
            throw new ProtocolException("a frame " + frame.type() + " before the workload's session");
        }
    }

    private static boolean isSignal(int number) {
        return number >= 1 && number <= MAX_SIGNAL;
    }

    /** SIGSTOP stops dkvm-init, which could pass it on no more: so it comes this way. */
    private void signalWorkload(Client client, Frame frame) throws ProtocolException {
        if (frame.type() != FrameType.SIGNAL) {
            throw new ProtocolException("a frame " + frame.type() + " from a client for a signal");
        }
        Session workload = sessions.get(MAIN);
        FrameOutput to = agent;
        if (workload == null || to == null || workload.state() != Session.State.RUNNING) {
            refuse(client, "the workload does not run");
            return;
        }
        check(workload, frame);
        to.send(frame.restamp(MAIN));
        client.output().send(FrameType.EXIT, CLIENT_STREAM, new byte[] {0, 0});
        client.end();
    }

    private void update(Client client, Frame frame) throws ProtocolException {
        if (frame.type() != FrameType.UPDATE || client.hasAsked()) {
            throw new ProtocolException("a frame " + frame.type() + " from a client for an update");
        }
        client.setAsked();
        events.updated(client, new VmLimits(frame.i64(0), frame.i32(8), frame.i64(12)));
    }

    /** Tells a client for an update that it is done, its last frame. */
    public static void updateDone(Client client) {
        if (!client.isEnded()) {
            client.output().send(FrameType.EXIT, CLIENT_STREAM, new byte[] {0, 0});
            client.end();
        }
    }

    /** Tells a client for an update why it is not, its last frame. */
    public static void updateRefused(Client client, String text) {
        if (!client.isEnded()) {
            refuse(client, text);
        }
    }

    private void begin(Client client) {
        Session session = new Session(next++, client);
        sessions.put(session.number(), session);
        client.setSession(session);
        execClients++;
    }

    /** Says why there is no session, and ends the connection. */
    private static void refuse(Client client, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        byte[] payload = new byte[1 + utf8.length];
        payload[0] = CAN_NOT_EXEC;
        System.arraycopy(utf8, 0, payload, 1, utf8.length);
        client.output().send(FrameType.REFUSED, CLIENT_STREAM, payload);
        client.end();
    }

    private static void check(Session session, Frame frame) throws ProtocolException {
        boolean opening = session.state() == Session.State.OPENING;
        if (opening != (frame.type() == FrameType.OPEN) || frame.type() == FrameType.BREAK) {
            throw new ProtocolException("a frame " + frame.type() + (opening ? " before OPEN" : " in an open session"));
        }
        if (opening) {
            session.open(frame.length() - 1);
            if (frame.u8(0) > 1) {
                throw new ProtocolException("an OPEN whose last is " + frame.u8(0));
            }
            session.setState(frame.u8(0) == 1 ? Session.State.OPEN : Session.State.OPENING);
        } else if (frame.type() == FrameType.STDIN) {
            session.spend(Session.STDIN, frame.length());
        } else if (frame.type() == FrameType.CREDIT) {
            int channel = frame.u8(0);
            if (channel != Session.STDOUT && channel != Session.STDERR) {
                throw new ProtocolException("credit for channel " + channel + " from a client");
            }
            session.grant(channel, frame.i32(1));
        } else if (frame.type() == FrameType.SIGNAL && !isSignal(frame.i32(0))) {
            throw new ProtocolException("signal " + Integer.toUnsignedString(frame.i32(0)));
        }
    }

    private void opened(Session session, @Nullable Client client, Frame frame) {
        session.setState(Session.State.RUNNING);
        pass(client, frame);
        if (session.number() == MAIN) {
            events.opened();
        }
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
        if (client != null) {
            execClients--;
            client.end();
        }
    }

    private static void pass(@Nullable Client client, Frame frame) {
        if (client != null) {
            ByteBuffer bytes = frame.restamp(CLIENT_STREAM);
            client.output().send(bytes);
        }
    }
}
