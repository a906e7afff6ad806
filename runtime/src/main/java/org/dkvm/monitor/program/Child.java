// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.function.Consumer;
import org.dkvm.agent.GuestText;
import org.dkvm.core.DkvmException;
import org.dkvm.monitor.loop.MonitorLog;

/** A program that runs as long as the VM: QEMU, virtiofsd. Its messages go to the log, the last ones are kept for the case that it dies. */
public final class Child {
    /** What one of them is called. */
    public static final String QEMU = "QEMU";

    private static final int SIGNAL_BASE = 128;
    private static final int SIGABRT = 6;
    private static final int SIGTERM = 15;
    private static final int STACK_BYTES = 128 * 1024;
    private static final int READ_BYTES = 4096;
    private static final int TAIL_LINES = 5;
    private static final int TAIL_CHARS = 1000;

    private final String name;
    private final RunningProgram process;
    private final boolean leavesTerminal;
    private final MonitorLog log;
    private final Tail tail = new Tail(2 * READ_BYTES);
    private volatile boolean ended;
    private volatile int code;
    private volatile boolean killed;

    private Child(String name, RunningProgram process, boolean leavesTerminal, MonitorLog log) {
        this.name = name;
        this.process = process;
        this.leavesTerminal = leavesTerminal;
        this.log = log;
    }

    /**
     * Starts a program. One on the terminal is to leave that as it found it: {@link #kill} only asks it to end.
     *
     * @param name for people
     * @param onEnd run in another thread when it has ended
     */
    public static Child start(String name, ProgramStart start, Programs programs, MonitorLog log, Consumer<Child> onEnd)
            throws DkvmException {
        try {
            return new Child(name, programs.start(start), start.terminal(), log).watched(onEnd);
        } catch (IOException e) {
            throw notStarted(name, e);
        }
    }

    private static DkvmException notStarted(String name, IOException e) {
        return new DkvmException(
                "can not start " + name + ": " + e.getMessage(), "is DKVM's package complete? \"dkvm check\"", e);
    }

    private Child watched(Consumer<Child> onEnd) {
        Thread thread = new Thread(null, () -> watch(onEnd), name, STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        return this;
    }

    String name() {
        return name;
    }

    /** Its process's number. */
    public long pid() {
        return process.pid();
    }

    /** Sends it a signal. */
    public void signal(int number) {
        process.signal(number);
    }

    /** Whether it has ended. */
    public boolean hasEnded() {
        return ended;
    }

    /** Whether it has ended with an exit code other than 0, or by a signal. */
    public boolean hasFailed() {
        return ended && code != 0;
    }

    /** Ends it: at once, or by SIGTERM where it has a terminal to leave. */
    public void kill() {
        killed = true;
        if (leavesTerminal) {
            process.signal(SIGTERM);
        } else {
            process.kill();
        }
    }

    /** Whether it has ended by abort(3): an assertion of its own failed. */
    public boolean hasAborted() {
        return ended && code == SIGNAL_BASE + SIGABRT;
    }

    /** Whether it has ended, and nobody from outside has ended it. */
    boolean hasGivenUp() {
        return hasAborted() || (ended && code < SIGNAL_BASE);
    }

    /** Whether its last messages have these words. */
    public boolean said(String words) {
        return GuestText.lines(tail.toBytes()).contains(words);
    }

    /** Ends it at once and waits until it is gone. */
    public void killAndWait() throws InterruptedException {
        killed = true;
        process.kill();
        process.waitFor();
    }

    /** How it ended, with its last messages. */
    public String obituary() {
        int how = ended ? code : 0;
        String end =
                how > SIGNAL_BASE ? " was killed by signal " + (how - SIGNAL_BASE) : " ended with exit code " + how;
        String last = GuestText.tail(GuestText.lines(tail.toBytes()), TAIL_LINES, TAIL_CHARS);
        return name + end + (last.isEmpty() ? "" : "; its last messages:\n" + last);
    }

    private void watch(Consumer<Child> onEnd) {
        listen();
        try {
            code = process.waitFor();
            ended = true;
        } catch (InterruptedException e) {
            log.line(name + ": " + e);
        }
        onEnd.accept(this);
    }

    /** To the program's end. */
    private void listen() {
        byte[] bytes = new byte[READ_BYTES];
        try (InputStream in = process.words()) {
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                tail.add(bytes, count);
                log.line(name + ": "
                        + GuestText.lines(Arrays.copyOf(bytes, count)).strip());
            }
        } catch (IOException e) {
            if (!killed) {
                log.line(name + ": " + e);
            }
        }
    }
}
