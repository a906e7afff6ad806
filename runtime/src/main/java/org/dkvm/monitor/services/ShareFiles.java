// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;

/**
 * Keeps virtiofsd from running out of descriptors: it has one open for each inode that the guest's kernel remembers. Before the end, or when they cost the sandbox too much
 * memory, the guest is told to forget those that nobody uses.
 */
public final class ShareFiles {
    /** Each costs the host 1 to 3.5 KiB, its own inode and dentry included: 112 MiB of the sandbox's overhead at most. */
    static final long ENOUGH = 32_768;

    /** More than a guest can look up in a second, with a kernel that does not bound them itself. */
    private static final long PER_SECOND = 50_000;

    private static final Duration FIRST = Duration.ofMillis(100);
    private static final Duration SHORTEST = Duration.ofMillis(25);
    private static final Duration LONGEST = Duration.ofSeconds(1);
    private static final int MILLIS = 1000;

    private final EventLoop loop;
    private final MonitorLog log;
    private final LongSupplier limit;
    private final LongSupplier count;
    private final BooleanSupplier isRunning;
    private final Consumer<Runnable> shed;
    /** How many may be open now before the guest is told again, where programs hold many; 0: as at first. */
    private long later;

    private boolean told;

    /**
     * @param limit how many descriptors virtiofsd may have, which an administrator may change; 0: nobody knows
     * @param count how many it has; -1: it is gone, or nobody knows
     * @param isRunning whether the guest takes orders
     * @param shed has the guest forget, and runs what it is given when it has
     */
    public ShareFiles(
            EventLoop loop,
            MonitorLog log,
            LongSupplier limit,
            LongSupplier count,
            BooleanSupplier isRunning,
            Consumer<Runnable> shed) {
        this.loop = loop;
        this.log = log;
        this.limit = limit;
        this.count = count;
        this.isRunning = isRunning;
        this.shed = shed;
    }

    /** Begins a little later: while the guest boots the monitor has time, before that it has none. */
    public void start() {
        loop.after(FIRST, this::watch);
    }

    /** Looks, and looks again by itself until virtiofsd is gone. */
    void watch() {
        long open = count.getAsLong();
        long most = limit.getAsLong();
        if (open < 0 || most <= 0) {
            return;
        }
        long mark = Math.max(first(most), Math.min(later, most));
        if (open < mark) {
            loop.after(pause(mark - open), this::watch);
            return;
        }
        if (!isRunning.getAsBoolean()) {
            loop.after(pause(most - open), this::watch);
            return;
        }
        if (!told) {
            told = true;
            log.line("virtiofsd has " + open + " of " + most
                    + " files open: the guest forgets those that nobody uses, now and from now on");
        }
        shed.accept(this::forgotten);
    }

    private void forgotten() {
        long most = limit.getAsLong();
        long left = count.getAsLong();
        later = next(most, left);
        // Where programs hold nearly all of them, forgetting more often gains nothing.
        loop.after(left < most - most / 4 ? SHORTEST : LONGEST, this::watch);
    }

    /** Where the guest is told first. */
    static long first(long limit) {
        return Math.min(limit / 2, ENOUGH);
    }

    /** Where it is told next, when so many are open all the same: what programs hold open can not be forgotten. */
    static long next(long limit, long left) {
        long first = first(limit);
        return left < first / 2 ? first : Math.max(first, left + Math.max(1, (limit - left) / 2));
    }

    /** So many more may be open: in this time they will hardly be. */
    static Duration pause(long free) {
        Duration pause = Duration.ofMillis(Math.max(0, free) * MILLIS / PER_SECOND);
        return pause.compareTo(SHORTEST) < 0 ? SHORTEST : pause.compareTo(LONGEST) > 0 ? LONGEST : pause;
    }
}
