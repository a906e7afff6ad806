// SPDX-License-Identifier: Apache-2.0
package org.dkvm.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** Runs a parser and holds it to what every parser is held to: memory and time in proportion to the input, no exception but those its target expects. */
public final class Bounded {
    private static final long MIB = 1024L * 1024;
    /** What a parser may allocate whatever its input, in bytes. */
    private static final long USUAL_MEMORY = 16 * MIB;
    /** What it may allocate for each byte of the input: trees of small objects are dear. */
    private static final long MEMORY_PER_BYTE = 1024;
    /** Processor time, so that a busy machine does not count; instrumented code is slow. */
    private static final Duration TIME = Duration.ofSeconds(4);

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Bounded() {}

    /** A parser, and what is asserted of what it makes of an input; it catches the exceptions that are its way to refuse one. */
    @FunctionalInterface
    public interface Target {
        void take(byte[] input) throws Exception;
    }

    /** Runs a target with the usual bounds. */
    public static void run(byte[] input, Target target) {
        run(input, USUAL_MEMORY, target);
    }

    /**
     * Runs a target.
     *
     * @param memory what it may allocate besides its share for each byte of the input, in bytes
     */
    public static void run(byte[] input, long memory, Target target) {
        long mostMemory = memory + input.length * MEMORY_PER_BYTE;
        // The first call may load classes, and the fuzzer's agent instruments them in this thread: only what is too
        // much twice is too much.
        if (!isWithin(input, mostMemory, target)) {
            long bytesBefore = THREADS.getCurrentThreadAllocatedBytes();
            long nanosBefore = THREADS.getCurrentThreadCpuTime();
            if (!isWithin(input, mostMemory, target)) {
                throw new AssertionError("an input of " + input.length + " bytes took "
                        + (THREADS.getCurrentThreadAllocatedBytes() - bytesBefore) / MIB + " MiB of memory and "
                        + Duration.ofNanos(THREADS.getCurrentThreadCpuTime() - nanosBefore)
                                .toMillis()
                        + " ms");
            }
        }
    }

    private static boolean isWithin(byte[] input, long mostMemory, Target target) {
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        long nanos = THREADS.getCurrentThreadCpuTime();
        try {
            target.take(input);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError("a " + e.getClass().getSimpleName() + " that is not the parser's to throw", e);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - bytes <= mostMemory
                && THREADS.getCurrentThreadCpuTime() - nanos <= TIME.toNanos();
    }

    /** Fails with that message unless what is asserted holds. */
    public static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
