// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import org.jspecify.annotations.Nullable;

/** One session's state: how far it has come, what each side may still send. */
final class Session {
    /** A channel's first credit and the most it ever has, in bytes. */
    static final int CREDIT = 65_536;

    private static final int MAX_SIGNAL = 64;

    static final int STDIN = 0;
    static final int STDOUT = 1;
    static final int STDERR = 2;

    /** How far a session has come. */
    enum State {
        /** OPEN is not complete. */
        OPENING,
        /** The agent has the whole process. */
        OPEN,
        /** The process runs. */
        RUNNING
    }

    private final int number;
    private final int[] credit = {CREDIT, CREDIT, CREDIT};
    private final boolean[] closed = new boolean[credit.length];
    private @Nullable Client client;
    private State state = State.OPENING;
    private int openBytes;

    Session(int number, Client client) {
        this.number = number;
        this.client = client;
    }

    int number() {
        return number;
    }

    /** The client; none when it has gone while the process lives on. */
    @Nullable
    Client client() {
        return client;
    }

    void clientGone() {
        client = null;
    }

    State state() {
        return state;
    }

    void setState(State reached) {
        state = reached;
    }

    /** Counts a piece of OPEN. */
    private void open(int bytes) throws ProtocolException {
        openBytes += bytes;
        if (openBytes > ProcessRecords.MAX_BYTES) {
            throw new ProtocolException("a process of more than " + ProcessRecords.MAX_BYTES + " bytes");
        }
    }

    /** Counts data on a channel; none at all is the end of file. */
    void spend(int channel, int bytes) throws ProtocolException {
        if (closed[channel]) {
            throw new ProtocolException("data on session " + number + " after the end of file");
        }
        if (bytes > credit[channel]) {
            throw new ProtocolException(
                    "session " + number + " sent " + bytes + " bytes with a credit of " + credit[channel]);
        }
        credit[channel] -= bytes;
        closed[channel] = bytes == 0;
    }

    /** Counts credit given back for a channel. */
    void grant(int channel, int bytes) throws ProtocolException {
        if (bytes <= 0 || bytes > CREDIT - credit[channel]) {
            throw new ProtocolException("session " + number + " was given a credit of "
                    + Integer.toUnsignedString(bytes) + " on top of " + credit[channel]);
        }
        credit[channel] += bytes;
    }

    /** Checks and counts a frame of the client. */
    void take(Frame frame) throws ProtocolException {
        boolean opening = state == State.OPENING;
        if (opening != (frame.type() == FrameType.OPEN) || !isOfSession(frame.type())) {
            throw new ProtocolException("a frame " + frame.type() + (opening ? " before OPEN" : " in an open session"));
        }
        if (opening) {
            open(frame.length() - 1);
            if (frame.u8(0) > 1) {
                throw new ProtocolException("an OPEN whose last is " + frame.u8(0));
            }
            state = frame.u8(0) == 1 ? State.OPEN : State.OPENING;
        } else if (frame.type() == FrameType.STDIN) {
            spend(STDIN, frame.length());
        } else if (frame.type() == FrameType.CREDIT) {
            int channel = frame.u8(0);
            if (channel != STDOUT && channel != STDERR) {
                throw new ProtocolException("credit for channel " + channel + " from a client");
            }
            grant(channel, frame.i32(1));
        } else if (frame.type() == FrameType.SIGNAL && !isSignal(frame.i32(0))) {
            throw new ProtocolException("signal " + Integer.toUnsignedString(frame.i32(0)));
        }
    }

    /** Whether it is one that a session's client sends and the agent takes: another would break off the agent's channel. */
    private static boolean isOfSession(FrameType type) {
        return type == FrameType.OPEN
                || type == FrameType.STDIN
                || type == FrameType.CREDIT
                || type == FrameType.SIGNAL
                || type == FrameType.RESIZE;
    }

    static boolean isSignal(int number) {
        return number >= 1 && number <= MAX_SIGNAL;
    }
}
