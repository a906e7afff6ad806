// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CountDownLatch;

/** A process that does nothing until it is killed. */
final class FakeProcess extends Process {
    private static final int KILLED = 137;

    private final CountDownLatch killed = new CountDownLatch(1);

    /** Ours: there is a /proc/PID to look at. */
    @Override
    public long pid() {
        return ProcessHandle.current().pid();
    }

    @Override
    public OutputStream getOutputStream() {
        return OutputStream.nullOutputStream();
    }

    @Override
    public InputStream getInputStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public InputStream getErrorStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public int waitFor() throws InterruptedException {
        killed.await();
        return KILLED;
    }

    @Override
    public int exitValue() {
        if (isAlive()) {
            throw new IllegalThreadStateException("not ended");
        }
        return KILLED;
    }

    @Override
    public boolean isAlive() {
        return killed.getCount() > 0;
    }

    @Override
    public void destroy() {
        killed.countDown();
    }

    @Override
    public Process destroyForcibly() {
        destroy();
        return this;
    }
}
