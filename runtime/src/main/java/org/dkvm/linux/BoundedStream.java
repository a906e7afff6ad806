// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A stream that fails rather than give more bytes than it may. */
public class BoundedStream extends FilterInputStream {
    private final long limit;
    private long given;

    public BoundedStream(InputStream stream, long limitBytes) {
        super(stream);
        this.limit = limitBytes;
    }

    /** More came out of a stream than is allowed. */
    public static final class Exceeded extends IOException {
        private static final long serialVersionUID = 1L;

        public Exceeded(long limit) {
            this("it has more than " + limit + " bytes");
        }

        public Exceeded(String why) {
            super(why);
        }
    }

    @Override
    public int read() throws IOException {
        int one = super.read();
        count(one < 0 ? 0 : 1);
        return one;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = super.read(bytes, offset, length);
        count(Math.max(count, 0));
        return count;
    }

    @Override
    public long skip(long wanted) throws IOException {
        long count = super.skip(wanted);
        count(count);
        return count;
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    private void count(long more) throws IOException {
        given += more;
        if (given > limit) {
            throw new Exceeded(limit);
        }
        passed(more);
    }

    /** So many bytes more came out of it. */
    protected void passed(long count) throws IOException {
        // Whoever pays for them does.
    }
}
