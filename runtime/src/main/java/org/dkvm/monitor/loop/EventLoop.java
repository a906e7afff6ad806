// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.loop;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/** The monitor's only thread of work: sockets, timers, and what other threads post. Each selection key carries the {@link Runnable} that serves it. */
public final class EventLoop {
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** With timers it wakes so often, to know whether it was let run. */
    private static final long BEAT_MILLIS = 2000;

    /** Something to be done later, unless it is cancelled. */
    public final class Timer {
        private long deadlineNanos;
        private final Runnable task;

        private Timer(long deadlineNanos, Runnable task) {
            this.deadlineNanos = deadlineNanos;
            this.task = task;
        }

        public void cancel() {
            timers.remove(this);
        }
    }

    private final Selector selector;
    private final Queue<Runnable> posted = new ConcurrentLinkedQueue<>();
    private final List<Timer> timers = new ArrayList<>();
    private final LongSupplier clock;
    private boolean stopped;

    public EventLoop() throws IOException {
        this(System::nanoTime);
    }

    EventLoop(LongSupplier clock) throws IOException {
        selector = Selector.open();
        this.clock = clock;
    }

    public Selector selector() {
        return selector;
    }

    /** Runs the task once, after that time. */
    public Timer after(Duration delay, Runnable task) {
        Timer timer = new Timer(clock.getAsLong() + delay.toNanos(), task);
        timers.add(timer);
        return timer;
    }

    /** Runs the task soon, in the loop's thread; may be called from any thread. */
    public void post(Runnable task) {
        posted.add(task);
        selector.wakeup();
    }

    /** Ends {@link #run} after the current round. */
    public void stop() {
        stopped = true;
    }

    /**
     * Serves until {@link #stop}.
     *
     * @param afterRound what is done when all that was ready has been served
     */
    public void run(Runnable afterRound) throws IOException {
        while (!stopped) {
            round(afterRound);
        }
    }

    /** Waits until something is ready, and serves it. */
    public void round(Runnable afterRound) throws IOException {
        select();
        Set<SelectionKey> ready = selector.selectedKeys();
        for (SelectionKey key : ready) {
            if (key.isValid() && key.attachment() instanceof Runnable task) {
                task.run();
            }
        }
        ready.clear();
        runPosted();
        runTimers();
        afterRound.run();
    }

    private void select() throws IOException {
        if (!posted.isEmpty()) {
            selector.selectNow();
        } else if (timers.isEmpty()) {
            selector.select();
        } else {
            long left = Long.MAX_VALUE;
            long now = clock.getAsLong();
            for (Timer timer : timers) {
                left = Math.min(left, timer.deadlineNanos - now);
            }
            // Rounded up: a timer that is not quite due would make a round of its own.
            long millis = Math.clamp(left / NANOS_PER_MILLI + 1, 1, BEAT_MILLIS);
            selector.select(millis);
            forgive(clock.getAsLong() - now - millis * NANOS_PER_MILLI);
        }
    }

    /** Time in which the loop was not let run, as while the container is paused, is no time that anybody else had. */
    private void forgive(long overslept) {
        if (overslept > BEAT_MILLIS * NANOS_PER_MILLI) {
            for (Timer timer : timers) {
                timer.deadlineNanos += overslept;
            }
        }
    }

    private void runPosted() {
        for (Runnable task = posted.poll(); task != null; task = posted.poll()) {
            task.run();
        }
    }

    private void runTimers() {
        if (timers.isEmpty()) {
            return;
        }
        long now = clock.getAsLong();
        for (Timer timer : new ArrayList<>(timers)) {
            if (timer.deadlineNanos - now <= 0 && timers.remove(timer)) {
                timer.task.run();
            }
        }
    }
}
