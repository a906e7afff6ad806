// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import org.jspecify.annotations.Nullable;

/** A client of the session socket as the router sees it: what it said in ATTACH, its session, and the way back to it. */
public final class Client {
    /** What a client is there for; the number is the one in ATTACH. */
    public enum Role {
        /** dkvm-init, or dkvm-exec for a further container: the workload's own standard streams, and the sandbox's signals. */
        MAIN,
        /** dkvm-exec: one more process. */
        EXEC,
        /** dkvm-exec: one signal for the workload, and no session. */
        SIGNAL,
        /** dkvm-exec: other limits for the VM, and no session. */
        UPDATE,
        /** dkvm-exec: what the guest uses, and no session. */
        USAGE,
        /** dkvm-keep: the answer comes when nothing is left of a further container, and no session. */
        END
    }

    /** The number of the container that a VM starts with. */
    static final int FIRST_CONTAINER = 1;

    private static final int FLAG_TERMINAL = 1;
    private static final int FLAG_STDIN_OPEN = 2;

    private final FrameOutput output;
    private @Nullable Role role;
    private TerminalSize size = new TerminalSize(0, 0);
    private boolean terminal;
    private boolean stdinOpen;
    private long ignoredSignals;
    private int container = FIRST_CONTAINER;
    private boolean waiting;
    private boolean ended;
    private boolean asked;
    private @Nullable Session session;

    /** A client that has connected and said nothing yet. */
    public Client(FrameOutput output) {
        this.output = output;
    }

    void attach(Frame attach) throws ProtocolException {
        if (role != null) {
            throw new ProtocolException("a second ATTACH");
        }
        if (attach.u8(0) != Frame.VERSION) {
            throw new ProtocolException("a client of protocol version " + attach.u8(0) + ", not " + Frame.VERSION);
        }
        int flags = attach.u8(2);
        if (attach.u8(1) >= Role.values().length || flags > (FLAG_TERMINAL | FLAG_STDIN_OPEN)) {
            throw new ProtocolException("an ATTACH with role " + attach.u8(1) + " and flags " + flags);
        }
        role = Role.values()[attach.u8(1)];
        terminal = (flags & FLAG_TERMINAL) != 0;
        stdinOpen = (flags & FLAG_STDIN_OPEN) != 0;
        resize(attach.i32(4));
        ignoredSignals = attach.i64(8);
        container = attach.i32(16);
        if (container < FIRST_CONTAINER) {
            throw new ProtocolException("an ATTACH to container " + Integer.toUnsignedString(container));
        }
    }

    /** Its terminal's size, rows in the low half. */
    void resize(int sizes) {
        size = new TerminalSize(sizes & 0xFFFF, sizes >>> 16);
    }

    /** The way back to the client. */
    public FrameOutput output() {
        return output;
    }

    /** Whether it has said what it is there for. */
    public boolean isAttached() {
        return role != null;
    }

    /** Whether it is the main client: that of the container with which the VM lives and ends. */
    public boolean isMain() {
        return role == Role.MAIN && container == FIRST_CONTAINER;
    }

    /** Whether it is the client of the first process of another container of the VM's. */
    boolean isMembersMain() {
        return role == Role.MAIN && container != FIRST_CONTAINER;
    }

    /** The number of its container in the VM. */
    public int container() {
        return container;
    }

    /** Whether it is there to pass one signal on. */
    boolean isForSignal() {
        return role == Role.SIGNAL;
    }

    /** Whether it is there to have the VM's limits changed. */
    boolean isForUpdate() {
        return role == Role.UPDATE;
    }

    /** Whether it is there to hear what the guest uses. */
    boolean isForUsage() {
        return role == Role.USAGE;
    }

    /** Whether it is there to hear when a further container is gone. */
    boolean isForEnd() {
        return role == Role.END;
    }

    /** Whether it has said to what. */
    boolean hasAsked() {
        return asked;
    }

    void setAsked() {
        asked = true;
    }

    /** Whether what it sends has to wait in its socket until its session can begin. */
    public boolean isWaiting() {
        return waiting;
    }

    /** Whether what it sends may be read while it waits, and kept: not of the main client, whose input may be a shell's meanwhile. */
    public boolean mayBeReadAhead() {
        return !isMain();
    }

    /** Whether it got its last frame: the connection ends when that has been written. */
    public boolean isEnded() {
        return ended;
    }

    /** Whether its own standard input is a terminal. */
    public boolean hasTerminal() {
        return terminal;
    }

    /** Whether anybody can write to its standard input. */
    public boolean stdinOpen() {
        return stdinOpen;
    }

    /** Its terminal's size, as far as is known here: what an open session's client says goes to the agent. */
    public TerminalSize size() {
        return size;
    }

    /** The signals it was started with ignored: signal n is bit n − 1. */
    public long ignoredSignals() {
        return ignoredSignals;
    }

    void setWaiting(boolean value) {
        waiting = value;
    }

    void end() {
        ended = true;
        session = null;
    }

    @Nullable
    Session session() {
        return session;
    }

    void setSession(@Nullable Session begun) {
        session = begun;
    }
}
