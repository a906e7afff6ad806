// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import org.dkvm.linux.BoundedStream;

/**
 * An archive's plain bytes, of which no more than so many may lie between two entries: long names, and headers about headers, which the libraries keep in memory and read by calling
 * themselves.
 */
final class ArchiveStream extends BoundedStream {
    /** A name has a few hundred bytes, and its header's padding a thousand. */
    static final int MOST_HEADER_BYTES = 256 * 1024;

    private boolean inHeader;
    private long headerBytes;

    ArchiveStream(InputStream stream) {
        super(stream, Long.MAX_VALUE);
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
    protected void passed(long count) throws IOException {
        headerBytes += inHeader ? count : 0;
        if (headerBytes > MOST_HEADER_BYTES) {
            throw new IOException("an entry's header has more than " + MOST_HEADER_BYTES + " bytes");
        }
    }
}
