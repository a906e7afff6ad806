// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.dkvm.monitor.program.RunningProgram;

/** A process that says and does what a test wants. */
public final class TestProcess implements RunningProgram {
    private static final int SIGTERM = 15;
    private static final long PID = 4711;

    private final CountDownLatch end = new CountDownLatch(1);
    private final PipedOutputStream out = new PipedOutputStream();
    private final PipedInputStream in;
    private final List<Integer> signals = new CopyOnWriteArrayList<>();
    private volatile int code;
    private volatile boolean asked;

    public TestProcess() {
        try {
            in = new PipedInputStream(out, 65_536);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void end(int exitCode, String lastWords) {
        try {
            out.write(lastWords.getBytes(StandardCharsets.UTF_8));
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (end.getCount() > 0) {
            code = exitCode;
            end.countDown();
        }
    }

    @Override
    public InputStream words() {
        return in;
    }

    @Override
    public int waitFor() throws InterruptedException {
        end.await();
        return code;
    }

    /** Whether nobody has ended it. */
    public boolean isAlive() {
        return end.getCount() > 0;
    }

    /** Whether it was asked to end, and not killed. */
    public boolean wasAsked() {
        return asked;
    }

    @Override
    public long pid() {
        return PID;
    }

    @Override
    public void signal(int number) {
        signals.add(number);
        if (number == SIGTERM) {
            asked = true;
            end(0, "");
        }
    }

    /** The signals that it was sent. */
    public List<Integer> signals() {
        return signals;
    }

    @Override
    public void kill() {
        end(137, "");
    }
}
