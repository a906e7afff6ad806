// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * An archive's plain bytes, of which no more than so many may lie between two entries: long names, and headers about headers, which the libraries keep in memory and read by calling
 * themselves.
 */
final class ArchiveStream extends FilterInputStream {
    /** A name has a few hundred bytes, and its header's padding a thousand. */
    static final int MOST_HEADER_BYTES = 256 * 1024;

    private boolean inHeader;
    private long headerBytes;

    ArchiveStream(InputStream stream) {
        super(stream);
    }

    /** Reads the next entry's header. */
    interface Header<E> {
        E read() throws IOException;
    }

    /** The next entry; what the one before has of content has to be read by then. */
    <E> E next(Header<E> header) throws IOException {
        inHeader = true;
        headerBytes = 0;
        try {
            return header.read();
        } finally {
            inHeader = false;
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
        headerBytes += inHeader ? more : 0;
        if (headerBytes > MOST_HEADER_BYTES) {
            throw new IOException("an entry's header has more than " + MOST_HEADER_BYTES + " bytes");
        }
    }
}
