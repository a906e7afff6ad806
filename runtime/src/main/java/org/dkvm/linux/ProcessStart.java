// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** When processes began: this one before its own first line. */
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

    /**
     * Whether a process lives, and is not another one with its number.
     *
     * @param start when it began, in ticks since the host's boot, as runc and crun write it down
     */
    public static boolean lives(long pid, long start) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            char state = stat.charAt(stat.lastIndexOf(')') + 2);
            return start(stat) == start && state != 'Z' && state != 'X';
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
            return false;
        }
    }

    private static long start(String stat) {
        // A command's name may have any character.
        int from = stat.lastIndexOf(')') + 2;
        for (int i = 0; i < COLUMNS_BEFORE; i++) {
            from = stat.indexOf(' ', from) + 1;
        }
        return Long.parseLong(stat, from, stat.indexOf(' ', from), 10);
    }

    static long ageNanos(String stat, String uptime) {
        long start = start(stat);
        // Seconds with two places after the point: as many ticks.
        int point = uptime.indexOf('.');
        long now = Long.parseLong(uptime, 0, point, 10) * 100 + Long.parseLong(uptime, point + 1, point + 3, 10);
        return Math.max(0, now - start) * NANOS_PER_TICK;
    }
}
