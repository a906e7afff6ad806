// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.dkvm.core.DkvmException;
import org.jspecify.annotations.Nullable;

/** Cuts what QEMU's control socket sends into lines, each at most {@link #MAX_LINE} bytes long. */
public final class QmpLines {
    /** The longest line in bytes. */
    public static final int MAX_LINE = 1024 * 1024;

    private static final int FIRST_SIZE = 4096;

    private byte[] line = new byte[FIRST_SIZE];
    private int length;

    /** The next line that ends in these bytes; null when they hold no more line ends: what is left is kept for later. */
    public @Nullable String next(ByteBuffer bytes) throws DkvmException {
        while (bytes.hasRemaining()) {
            byte b = bytes.get();
            if (b == '\n') {
                String text = new String(line, 0, length, StandardCharsets.UTF_8);
                length = 0;
                return text;
            }
            if (length == MAX_LINE) {
                throw new DkvmException("QEMU sent a control line of more than " + MAX_LINE + " bytes", "");
            }
            if (length == line.length) {
                line = Arrays.copyOf(line, Math.min(MAX_LINE, length * 2));
            }
            line[length++] = b;
        }
        return null;
    }
}
