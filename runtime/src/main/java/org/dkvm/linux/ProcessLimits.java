// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.container.ResourceLimit;

/** The resource limits of a process as /proc shows them. */
public final class ProcessLimits {
    /** The lines' names in the order of the numbers RLIMIT_* have on x86-64. */
    private static final String[] NAMES = {
        "Max cpu time",
        "Max file size",
        "Max data size",
        "Max stack size",
        "Max core file size",
        "Max resident set",
        "Max processes",
        "Max open files",
        "Max locked memory",
        "Max address space",
        "Max file locks",
        "Max pending signals",
        "Max msgqueue size",
        "Max nice priority",
        "Max realtime priority",
        "Max realtime timeout"
    };

    private ProcessLimits() {}

    /** The limits of this process, which its children inherit; none when /proc does not tell. */
    public static List<ResourceLimit> own() {
        try {
            return parse(Files.readString(Path.of("/proc/self/limits")));
        } catch (IOException e) {
            return List.of();
        }
    }

    /** The limits in the text of /proc/PID/limits; lines that are not understood are left out. See proc_pid_limits(5). */
    static List<ResourceLimit> parse(String text) {
        List<ResourceLimit> limits = new ArrayList<>(NAMES.length);
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            end = end < 0 ? text.length() : end;
            String line = text.substring(start, end);
            start = end + 1;
            for (int resource = 0; resource < NAMES.length; resource++) {
                if (line.startsWith(NAMES[resource] + " ")) {
                    addLimit(limits, resource, line.substring(NAMES[resource].length()));
                }
            }
        }
        return limits;
    }

    private static void addLimit(List<ResourceLimit> limits, int resource, String columns) {
        int[] at = {0};
        String soft = column(columns, at);
        String hard = column(columns, at);
        try {
            limits.add(new ResourceLimit(resource, value(soft), value(hard)));
        } catch (NumberFormatException e) {
            return;
        }
    }

    private static String column(String text, int[] at) {
        int start = at[0];
        while (start < text.length() && text.charAt(start) == ' ') {
            start++;
        }
        int end = start;
        while (end < text.length() && text.charAt(end) != ' ') {
            end++;
        }
        at[0] = end;
        return text.substring(start, end);
    }

    private static long value(String text) {
        return "unlimited".equals(text) ? -1 : Long.parseUnsignedLong(text);
    }
}
