// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for what must come to pass, and says what did not. */
final class Deadline {
    private static final Duration INTERVAL = Duration.ofMillis(40);

    private Deadline() {}

    /** Asks again and again until the condition holds; fails with {@code what} when the deadline has passed. */
    static void await(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + Settings.DEADLINE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited " + Settings.DEADLINE.toSeconds() + " s in vain: " + what);
            }
            Thread.sleep(INTERVAL);
        }
    }
}
