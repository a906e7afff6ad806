// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.linux.MountTable;

/** What is mounted in the sandbox, compared with what was planned before anything is started. */
public final class MountCheck {
    /** What runc mounts without being told to: its root, and the terminal. */
    private static final List<String> RUNTIME = List.of("/", "/dev/console");

    /** Options of a mount, and what mount(2) knows them by. */
    private static final Map<String, Long> FLAGS =
            Map.of("ro", 1L, "nosuid", 2L, "nodev", 4L, "noexec", 8L, "noatime", 1024L, "nodiratime", 2048L);

    private final Map<String, Long> slots = new HashMap<>();

    private MountCheck() {}

    /**
     * Refuses a sandbox with a mount that nobody planned: it may cover what DKVM runs.
     *
     * @param table /proc/self/mountinfo
     */
    public static MountCheck of(Path table, SandboxMounts planned) throws DkvmException {
        MountCheck check = new MountCheck();
        List<MountTable.Mount> mounts = read(table);
        for (MountTable.Mount mount : mounts) {
            String point = mount.point();
            if (!RUNTIME.contains(point) && !planned.points().contains(point) && !isInSlot(point)) {
                throw new DkvmException(
                        "\"" + point + "\" is mounted in the sandbox, and nobody planned that",
                        "look for a hook of the engine, or of the runtime, that mounts it");
            }
            check.add(mount);
        }
        if (mounts.isEmpty()) {
            throw new DkvmException("\"" + table + "\" does not tell what is mounted in the sandbox", "");
        }
        return check;
    }

    /**
     * What is mounted in the share by now; nothing is refused: what has come since the start has come from the host.
     *
     * @param table /proc/self/mountinfo
     */
    static MountCheck now(Path table) throws DkvmException {
        MountCheck check = new MountCheck();
        for (MountTable.Mount mount : read(table)) {
            check.add(mount);
        }
        return check;
    }

    private void add(MountTable.Mount mount) {
        if (mount.point().startsWith(SandboxPaths.SHARE + "/")) {
            slots.put(mount.point().substring(SandboxPaths.SHARE.length() + 1), flags(mount));
        }
    }

    /** Whether something is mounted in that slot. */
    boolean has(String slot) {
        return slots.containsKey(slot);
    }

    /** The flags, MS_* of mount(2), that a slot's mount has: those of the host's mount that it was made from, too, as in a container. */
    public long flags(String slot) {
        return slots.getOrDefault(slot, 0L);
    }

    /** What was below a directory of the host comes with it. */
    private static boolean isInSlot(String point) {
        for (String directory : List.of(SandboxPaths.SHARE, SandboxPaths.DISKS)) {
            if (point.startsWith(directory + "/") && point.indexOf('/', directory.length() + 1) >= 0) {
                return true;
            }
        }
        return false;
    }

    private static long flags(MountTable.Mount mount) {
        long flags = 0;
        for (String option : mount.options()) {
            flags |= FLAGS.getOrDefault(option, 0L);
        }
        return flags;
    }

    private static List<MountTable.Mount> read(Path table) throws DkvmException {
        try {
            return MountTable.parse(Files.readString(table, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new DkvmException("what is mounted in the sandbox can not be read: " + e.getMessage(), "", e);
        }
    }
}
