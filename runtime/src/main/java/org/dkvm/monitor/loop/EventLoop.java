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

/** The monitor's only thread of work: sockets, timers, and what other threads post. Each selection key carries the {@link Runnable} that serves it. */
public final class EventLoop {
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** Something to be done later, unless it is cancelled. */
    public final class Timer {
        private final long deadlineNanos;
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
    private boolean stopped;

    public EventLoop() throws IOException {
        selector = Selector.open();
    }

    public Selector selector() {
        return selector;
    }

    /** Runs the task once, after that time. */
    public Timer after(Duration delay, Runnable task) {
        Timer timer = new Timer(System.nanoTime() + delay.toNanos(), task);
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
            long now = System.nanoTime();
            for (Timer timer : timers) {
                left = Math.min(left, timer.deadlineNanos - now);
            }
            // Rounded up: a timer that is not quite due would make a round of its own.
            selector.select(Math.max(1, left / NANOS_PER_MILLI + 1));
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
        long now = System.nanoTime();
        for (Timer timer : new ArrayList<>(timers)) {
            if (timer.deadlineNanos - now <= 0 && timers.remove(timer)) {
                timer.task.run();
            }
        }
    }
}
