// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How long this process has been there, before its own first line too. */
public final class ProcessStart {
    /** The kernel's USER_HZ, in which it counts process times. */
    private static final long NANOS_PER_TICK = 10_000_000;

    /** Columns between the command's name and the start time: proc_pid_stat(5), 22. */
    private static final int COLUMNS_BEFORE = 19;

    private ProcessStart() {}

    /** The process's age in nanoseconds, to 10 ms; 0 where the kernel does not tell. See proc_pid_stat(5), proc_uptime(5). */
    public static long ageNanos() {
        try {
            return ageNanos(Files.readString(Path.of("/proc/self/stat")), Files.readString(Path.of("/proc/uptime")));
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
            return 0;
        }
    }

    static long ageNanos(String stat, String uptime) {
        // A command's name may have any character.
        int from = stat.lastIndexOf(')') + 2;
        for (int i = 0; i < COLUMNS_BEFORE; i++) {
            from = stat.indexOf(' ', from) + 1;
        }
        long start = Long.parseLong(stat, from, stat.indexOf(' ', from), 10);
        // Seconds with two places after the point: as many ticks.
        int point = uptime.indexOf('.');
        long now = Long.parseLong(uptime, 0, point, 10) * 100 + Long.parseLong(uptime, point + 1, point + 3, 10);
        return Math.max(0, now - start) * NANOS_PER_TICK;
    }
}
