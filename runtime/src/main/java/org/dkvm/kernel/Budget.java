// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.BoundedStream;

/** What is left of one kernel's {@link Bounds}: all that is read, unpacked or copied for it is paid from here, whatever file it comes from. */
final class Budget {
    private final Bounds bounds;
    private final long deadline;
    private int entries;
    private long bytes;

    Budget(Bounds bounds) {
        this.bounds = bounds;
        this.deadline = System.nanoTime() + bounds.time().toNanos();
    }

    Bounds bounds() {
        return bounds;
    }

    /** One more file, directory or link is looked at. */
    void entry() throws DkvmException {
        if (++entries > bounds.entries()) {
            throw new DkvmException("it has more than " + bounds.entries() + " entries", "");
        }
        checkTime();
    }

    /** So many bytes more are read or written. */
    void spend(long count) throws DkvmException {
        bytes += count;
        if (bytes > bounds.totalBytes()) {
            throw new DkvmException("it has more than " + bounds.totalBytes() + " bytes", "");
        }
        checkTime();
    }

    private void checkTime() throws DkvmException {
        if (isOver()) {
            throw new DkvmException(late(bounds.time()), "");
        }
    }

    private boolean isOver() {
        return System.nanoTime() - deadline > 0;
    }

    private static String late(Duration time) {
        return "it takes longer than " + time.toSeconds() + " s";
    }

    /** A stream's plain bytes, paid as they come. */
    InputStream paid(InputStream stream) {
        return new BoundedStream(stream, bounds.totalBytes()) {
            @Override
            protected void passed(long count) throws IOException {
                bytes += count;
                if (bytes > bounds.totalBytes()) {
                    throw new Exceeded(bounds.totalBytes());
                }
                if (isOver()) {
                    throw new Exceeded(late(bounds.time()));
                }
            }
        };
    }

    /** One file out of a stream that is paid already. */
    InputStream file(InputStream stream) {
        return new BoundedStream(stream, bounds.fileBytes());
    }
}
