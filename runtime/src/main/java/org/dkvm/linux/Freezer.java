// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Whether processes are frozen with their control group, as a paused container's are. */
public final class Freezer {
    private static final Path PROC = Path.of("/proc");
    private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
    private static final String NUMBER_OF_V2 = "0";
    private static final int FIELDS = 3;

    private Freezer() {}

    /** Whether a process is. See cgroups(7). */
    public static boolean holds(long pid) {
        return holds(PROC, CGROUPS, pid);
    }

    static boolean holds(Path proc, Path cgroups, long pid) {
        try {
            for (String line : Files.readAllLines(proc.resolve(pid + "/cgroup"))) {
                String[] fields = line.split(":", FIELDS);
                if (fields.length == FIELDS && isFrozen(cgroups, fields)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // Who has ended is not frozen.
            return false;
        }
        return false;
    }

    private static boolean isFrozen(Path cgroups, String[] fields) throws IOException {
        String group = fields[2].startsWith("/") ? fields[2].substring(1) : fields[2];
        if (List.of(fields[1].split(",", -1)).contains("freezer")) {
            return says(cgroups.resolve("freezer").resolve(group).resolve("freezer.state"), "FR");
        }
        // In the hybrid layout it is beside the others.
        return NUMBER_OF_V2.equals(fields[0])
                && (says(cgroups.resolve(group).resolve("cgroup.freeze"), "1")
                        || says(cgroups.resolve("unified").resolve(group).resolve("cgroup.freeze"), "1"));
    }

    /** FROZEN and FREEZING are both no state to wait in. */
    private static boolean says(Path file, String beginning) throws IOException {
        return Files.exists(file) && Files.readString(file).startsWith(beginning);
    }
}
