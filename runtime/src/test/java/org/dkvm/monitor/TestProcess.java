// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

/** A process that says and does what a test wants. */
public final class TestProcess extends Process {
    public static final long PID = 4711;

    private final CountDownLatch end = new CountDownLatch(1);
    private final PipedOutputStream out = new PipedOutputStream();
    private final PipedInputStream in;
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
    public OutputStream getOutputStream() {
        return OutputStream.nullOutputStream();
    }

    @Override
    public InputStream getInputStream() {
        return in;
    }

    @Override
    public InputStream getErrorStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public int waitFor() throws InterruptedException {
        end.await();
        return code;
    }

    @Override
    public int exitValue() {
        if (isAlive()) {
            throw new IllegalThreadStateException("alive");
        }
        return code;
    }

    @Override
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
    public void destroy() {
        asked = true;
        end(0, "");
    }

    @Override
    public Process destroyForcibly() {
        end(137, "");
        return this;
    }
}
