// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.MemorySize;

/** How much memory the host has. */
public final class HostMemory {
    private static final String NAME = "MemTotal:";
    private static final long KIB = 1024;

    private HostMemory() {}

    /** All of it; nothing when /proc does not tell. See proc_meminfo(5). */
    public static MemorySize total() {
        try {
            return parse(Files.readString(Path.of("/proc/meminfo")));
        } catch (IOException e) {
            return new MemorySize(0);
        }
    }

    static MemorySize parse(String text) {
        int end = text.indexOf(" kB");
        if (!text.startsWith(NAME) || end < 0) {
            return new MemorySize(0);
        }
        try {
            long kib = Long.parseLong(text.substring(NAME.length(), end).strip());
            return new MemorySize(Math.multiplyExact(kib, KIB));
        } catch (ArithmeticException | IllegalArgumentException e) {
            return new MemorySize(0);
        }
    }
}
