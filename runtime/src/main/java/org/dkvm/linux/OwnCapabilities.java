// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The capabilities of this process, which it has from the engine that started it. See capabilities(7). */
public final class OwnCapabilities {
    private static final String BOUNDING = "\nCapBnd:\t";
    private static final int HEX = 16;

    private OwnCapabilities() {}

    /** The bounding set; every bit where /proc does not tell. */
    public static long bounding() {
        try {
            return bounding(Files.readString(Path.of("/proc/self/status")));
        } catch (IOException e) {
            return -1;
        }
    }

    /** The bounding set in the text of /proc/PID/status. See proc_pid_status(5). */
    static long bounding(String status) {
        int start = status.indexOf(BOUNDING);
        int end = status.indexOf('\n', start + 1);
        if (start < 0 || end < 0) {
            return -1;
        }
        try {
            return Long.parseUnsignedLong(status, start + BOUNDING.length(), end, HEX);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
