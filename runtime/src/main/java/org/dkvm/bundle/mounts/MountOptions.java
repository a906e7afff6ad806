// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import java.util.List;
import java.util.Map;

/**
 * A mount's options as mount(2) takes them: bits, and text for the filesystem.
 *
 * @param flags MS_* bits
 * @param data what is no flag, comma separated
 */
record MountOptions(long flags, String data) {
    static final long RDONLY = 1;
    static final long NOSUID = 2;
    static final long NODEV = 4;
    static final long NOEXEC = 8;
    private static final long SYNCHRONOUS = 16;
    private static final long REMOUNT = 32;
    private static final long MANDLOCK = 64;
    private static final long DIRSYNC = 128;
    static final long NOATIME = 1024;
    static final long NODIRATIME = 2048;
    static final long RELATIME = 1 << 21;
    static final long STRICTATIME = 1 << 24;
    private static final long LAZYTIME = 1 << 25;

    /** Options that set bits; those that start with r do so for mounts below, too: Docker's way since 25 to say ro. */
    private static final Map<String, Long> SETS = Map.ofEntries(
            Map.entry("ro", RDONLY),
            Map.entry("nosuid", NOSUID),
            Map.entry("nodev", NODEV),
            Map.entry("noexec", NOEXEC),
            Map.entry("sync", SYNCHRONOUS),
            Map.entry("remount", REMOUNT),
            Map.entry("mand", MANDLOCK),
            Map.entry("dirsync", DIRSYNC),
            Map.entry("noatime", NOATIME),
            Map.entry("nodiratime", NODIRATIME),
            Map.entry("relatime", RELATIME),
            Map.entry("strictatime", STRICTATIME),
            Map.entry("lazytime", LAZYTIME),
            Map.entry("rro", RDONLY),
            Map.entry("rnosuid", NOSUID),
            Map.entry("rnodev", NODEV),
            Map.entry("rnoexec", NOEXEC));

    /** Options that clear bits; a later one wins over an earlier one. */
    private static final Map<String, Long> CLEARS = Map.ofEntries(
            Map.entry("rw", RDONLY),
            Map.entry("suid", NOSUID),
            Map.entry("dev", NODEV),
            Map.entry("exec", NOEXEC),
            Map.entry("async", SYNCHRONOUS),
            Map.entry("nomand", MANDLOCK),
            Map.entry("atime", NOATIME),
            Map.entry("diratime", NODIRATIME),
            Map.entry("norelatime", RELATIME),
            Map.entry("nostrictatime", STRICTATIME),
            Map.entry("nolazytime", LAZYTIME),
            Map.entry("rrw", RDONLY),
            Map.entry("rsuid", NOSUID),
            Map.entry("rdev", NODEV),
            Map.entry("rexec", NOEXEC));

    /** Splits a spec's options as runc's libcontainer does; propagation and bind have no meaning in the guest and are dropped. */
    static MountOptions parse(List<String> options) {
        long flags = 0;
        StringBuilder data = new StringBuilder();
        for (String option : options) {
            Long set = SETS.get(option);
            Long cleared = CLEARS.get(option);
            if (set != null) {
                flags |= set;
            } else if (cleared != null) {
                flags &= ~cleared;
            } else if (!isDropped(option)) {
                data.append(data.isEmpty() ? "" : ",").append(option);
            }
        }
        return new MountOptions(flags, data.toString());
    }

    private static boolean isDropped(String option) {
        return switch (option) {
            case "defaults",
                    "bind",
                    "rbind",
                    "private",
                    "rprivate",
                    "shared",
                    "rshared",
                    "slave",
                    "rslave",
                    "unbindable",
                    "runbindable",
                    "nofail",
                    "z",
                    "Z" -> true;
            default -> false;
        };
    }
}
