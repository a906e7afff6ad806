// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Collects a stream in a thread of its own, so that a full pipe never stops the program that writes. */
final class Output {
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private final Thread reader;

    /** Starts to read at once, until the end of the stream. */
    Output(InputStream stream) {
        reader = Thread.ofPlatform().daemon().name("e2e-output").start(() -> collect(stream));
    }

    private void collect(InputStream stream) {
        byte[] buffer = new byte[65536];
        try (stream) {
            for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
                synchronized (collected) {
                    collected.write(buffer, 0, n);
                    collected.notifyAll();
                }
            }
        } catch (IOException e) {
            // A stream that breaks has ended: what came before is what the program wrote.
        }
    }

    /** What has come so far. */
    Bytes soFar() {
        synchronized (collected) {
            return Bytes.of(collected.toByteArray());
        }
    }

    /** Everything, once the stream has ended; what has come so far when it does not end in time. */
    Bytes whole() throws InterruptedException {
        reader.join(Settings.DEADLINE);
        return soFar();
    }

    /** Waits until the text has come {@code times} times. */
    void await(String text, int times) throws InterruptedException {
        long end = System.nanoTime() + Settings.DEADLINE.toNanos();
        synchronized (collected) {
            while (count(collected.toString(StandardCharsets.UTF_8), text) < times) {
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0 || !reader.isAlive()) {
                    throw new AssertionError("the text \"" + text + "\" did not come " + times + " times, only "
                            + Bytes.of(collected.toByteArray()));
                }
                collected.wait(Math.min(left, 1000));
            }
        }
    }

    private static int count(String all, String text) {
        int times = 0;
        for (int at = all.indexOf(text); at >= 0; at = all.indexOf(text, at + text.length())) {
            times++;
        }
        return times;
    }
}
