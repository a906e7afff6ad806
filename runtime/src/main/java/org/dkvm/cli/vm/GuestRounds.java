// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dkvm.vm.GuestReport;
import org.jspecify.annotations.Nullable;

/** Asks many guests, again and again. One that does not answer holds nobody up: it is asked once, and what it says then counts in the round in which it says it. */
final class GuestRounds {
    static final String LATE = "it has not answered yet";

    private static final int MOST_AT_ONCE = 8;

    /**
     * What a guest says.
     *
     * @param report nothing where it does not answer
     * @param word why it does not; empty where it does
     */
    record Answer(@Nullable GuestReport report, String word) {}

    /** A question, on a thread of its own that ends with the program. */
    private static final class Asked {
        private final Semaphore places;
        private final AtomicBoolean hasPlace = new AtomicBoolean();
        private final FutureTask<GuestReport> task;

        Asked(Callable<GuestReport> question, Semaphore places) {
            this.places = places;
            task = new FutureTask<>(() -> {
                places.acquire();
                hasPlace.set(true);
                try {
                    return question.call();
                } finally {
                    leave();
                }
            });
            Thread.ofPlatform().daemon().start(task);
        }

        /** Others may be asked. */
        private void leave() {
            if (hasPlace.getAndSet(false)) {
                places.release();
            }
        }

        private @Nullable Answer answer(long nanos) throws InterruptedException {
            try {
                return new Answer(task.get(Math.max(0, nanos), TimeUnit.NANOSECONDS), "");
            } catch (TimeoutException e) {
                leave();
                return null;
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                return new Answer(null, cause == null ? "it can not be asked" : String.valueOf(cause.getMessage()));
            }
        }
    }

    private final Semaphore places = new Semaphore(MOST_AT_ONCE);
    private final Map<String, Asked> pending = new HashMap<>();

    /**
     * A round.
     *
     * @param questions by what names the VM, to those that have no question of an earlier round to answer
     * @param patience for all of them together
     */
    Map<String, Answer> ask(Map<String, Callable<GuestReport>> questions, Duration patience)
            throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        pending.keySet().retainAll(questions.keySet());
        questions.forEach((id, question) -> pending.computeIfAbsent(id, none -> new Asked(question, places)));
        Map<String, Answer> answers = new LinkedHashMap<>();
        for (String id : questions.keySet()) {
            Asked asked = pending.get(id);
            Answer answer = asked == null ? null : asked.answer(end - System.nanoTime());
            if (answer != null) {
                pending.remove(id);
            }
            answers.put(id, answer == null ? new Answer(null, LATE) : answer);
        }
        return answers;
    }
}
