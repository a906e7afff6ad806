// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.end;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * How a container ends.
 *
 * @param exitCode its exit code
 * @param notice what is said on its standard error; empty for nothing
 * @param refusal the agent's REFUSED instead, when the workload could not be started
 * @param outOfMemory whether the guest's kernel killed for want of memory
 */
public record Verdict(int exitCode, String notice, @Nullable ByteBuffer refusal, boolean outOfMemory) {
    /** docker run's exit code for a container that was not started. */
    public static final int NOT_STARTED = 125;
    /** The exit code of a container whose VM was lost. */
    public static final int LOST = 255;

    public static Verdict exited(int exitCode) {
        return finished(exitCode, false);
    }

    public static Verdict finished(int exitCode, boolean outOfMemory) {
        return new Verdict(exitCode, "", null, outOfMemory);
    }

    public static Verdict refused(int exitCode, byte[] payload) {
        return new Verdict(exitCode, "", ByteBuffer.wrap(payload), false);
    }

    public static Verdict failed(boolean started, String text) {
        return new Verdict(started ? LOST : NOT_STARTED, text, null, false);
    }
}
