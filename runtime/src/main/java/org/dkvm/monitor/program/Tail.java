// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.util.Arrays;

/** The last bytes of a stream. Safe for one writing and one reading thread. */
public final class Tail {
    private final int size;
    private byte[] bytes = new byte[0];

    /** Keeps at most so many bytes. */
    public Tail(int size) {
        this.size = size;
    }

    public synchronized void add(byte[] more, int count) {
        int taken = Math.min(count, size);
        int kept = Math.min(bytes.length, size - taken);
        byte[] joined = new byte[kept + taken];
        System.arraycopy(bytes, bytes.length - kept, joined, 0, kept);
        System.arraycopy(more, count - taken, joined, kept, taken);
        bytes = joined;
    }

    public synchronized byte[] toBytes() {
        return Arrays.copyOf(bytes, bytes.length);
    }
}
