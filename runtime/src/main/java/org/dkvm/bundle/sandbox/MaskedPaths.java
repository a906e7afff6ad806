// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.json.Json;

/**
 * Paths that are masked or read-only. What engines hide of the host's kernel from every container is hidden in the sandbox, and the guest has a kernel of its own; what
 * somebody asked for beside is hidden in the guest, where it has a meaning.
 */
final class MaskedPaths {
    private static final String MASKED = "maskedPaths";
    private static final String READ_ONLY = "readonlyPaths";

    /** Docker's list, for where {@code --privileged} emptied it. */
    private static final List<String> USUAL_MASKED = List.of(
            "/proc/asound",
            "/proc/acpi",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware",
            "/sys/devices/virtual/powercap");

    /** What other engines, and other versions, have beside. */
    private static final List<String> MORE_MASKED = List.of("/proc/interrupts", "/sys/fs/selinux", "/sys/dev/block");

    private static final List<String> USUAL_READ_ONLY =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    private static final List<String> MORE_READ_ONLY = List.of("/proc/asound");

    private MaskedPaths() {}

    /** Leaves the sandbox what is its own, and gives what is the guest's. */
    static HiddenPaths rewrite(JsonObject linux) {
        return new HiddenPaths(
                rewrite(linux, MASKED, USUAL_MASKED, MORE_MASKED),
                rewrite(linux, READ_ONLY, USUAL_READ_ONLY, MORE_READ_ONLY));
    }

    private static List<String> rewrite(JsonObject linux, String key, List<String> usual, List<String> more) {
        List<String> sandbox = new ArrayList<>();
        List<String> guest = new ArrayList<>();
        for (String path : Json.strings(linux, key)) {
            boolean ofEngine = usual.contains(path) || more.contains(path) || isThrottle(path);
            if (ofEngine) {
                sandbox.add(path);
            } else {
                guest.add(path.startsWith("/") ? path : "/" + path);
            }
        }
        linux.add(key, Json.arrayOf(sandbox.isEmpty() ? usual : sandbox));
        return guest;
    }

    /** Docker 28 names one for each processor. */
    private static boolean isThrottle(String path) {
        return path.startsWith("/sys/devices/system/cpu/cpu") && path.endsWith("/thermal_throttle");
    }
}
