// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.loop;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** The monitor's log: plain lines, bounded in all, because a hostile guest can make them appear. */
public final class MonitorLog {
    /** Bytes that a log ever takes. */
    public static final int MAX_BYTES = 1024 * 1024;

    private static final int MAX_LINE = 4096;
    /** Of them for how it ended, whatever was said before. */
    private static final int RESERVED = 32 * 1024;

    private final OutputStream out;
    private final long startNanos = System.nanoTime();
    private int left = MAX_BYTES;

    /** A log on that stream, which is flushed with each line. */
    public MonitorLog(OutputStream out) {
        this.out = out;
    }

    /** Adds a line, with the milliseconds since the log's start in front. */
    public void line(String text) {
        write(text, RESERVED);
    }

    /** Adds a line about the end: there is room for some. */
    public void lastLine(String text) {
        write(text, 0);
    }

    private synchronized void write(String text, int reserved) {
        long millis = (System.nanoTime() - startNanos) / 1_000_000;
        String cut = text.length() > MAX_LINE ? text.substring(0, MAX_LINE) + " …" : text;
        byte[] bytes = (millis + " " + cut + "\n").getBytes(StandardCharsets.UTF_8);
        if (left <= reserved) {
            return;
        }
        if (bytes.length > left - reserved) {
            bytes = (millis + " the log is full\n").getBytes(StandardCharsets.UTF_8);
            left = reserved;
        } else {
            left -= bytes.length;
        }
        try {
            out.write(bytes);
            out.flush();
        } catch (IOException e) {
            // There is no other place to say it.
            left = 0;
        }
    }
}
