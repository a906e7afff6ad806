// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.json.Json;

/** Capability sets between their names in a spec and their bits; see capabilities(7). */
public final class CapabilityNames {
    /** In the order of their numbers. */
    private static final String[] NAMES = {
        "CHOWN",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "KILL",
        "SETGID",
        "SETUID",
        "SETPCAP",
        "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_ADMIN",
        "NET_RAW",
        "IPC_LOCK",
        "IPC_OWNER",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_CHROOT",
        "SYS_PTRACE",
        "SYS_PACCT",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_NICE",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "MKNOD",
        "LEASE",
        "AUDIT_WRITE",
        "AUDIT_CONTROL",
        "SETFCAP",
        "MAC_OVERRIDE",
        "MAC_ADMIN",
        "SYSLOG",
        "WAKE_ALARM",
        "BLOCK_SUSPEND",
        "AUDIT_READ",
        "PERFMON",
        "BPF",
        "CHECKPOINT_RESTORE"
    };

    private static final String PREFIX = "CAP_";

    /** Every capability there is. */
    static final long ALL = (1L << NAMES.length) - 1;

    /** Reads, writes and searches whatever the mode says. */
    static final long DAC_OVERRIDE = mask(List.of("CAP_DAC_OVERRIDE"));

    /** What Docker leaves a container by default. */
    static final long DOCKER_DEFAULT = mask(List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FSETID",
            "CAP_FOWNER",
            "CAP_MKNOD",
            "CAP_NET_RAW",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETFCAP",
            "CAP_SETPCAP",
            "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT",
            "CAP_KILL",
            "CAP_AUDIT_WRITE"));

    /** What Podman leaves a container by default: less than Docker. */
    static final long PODMAN_DEFAULT = DOCKER_DEFAULT & ~mask(List.of("CAP_MKNOD", "CAP_NET_RAW", "CAP_AUDIT_WRITE"));

    private CapabilityNames() {}

    /** The sets of a process in a spec; none where it has no sets of its own. Names that are not known have no bit. */
    public static Optional<CapabilitySets> of(JsonObject process) {
        Optional<JsonObject> sets = Json.object(process, "capabilities");
        if (sets.isEmpty()) {
            return Optional.empty();
        }
        JsonObject found = sets.get();
        return Optional.of(new CapabilitySets(
                mask(Json.strings(found, "bounding")),
                mask(Json.strings(found, "effective")),
                mask(Json.strings(found, "permitted")),
                mask(Json.strings(found, "inheritable")),
                mask(Json.strings(found, "ambient"))));
    }

    /** As runc, which goes on without them. */
    public static void warnOfUnknown(JsonObject process, Consumer<String> warn) {
        Set<String> unknown = new LinkedHashSet<>();
        JsonObject sets = Json.object(process, "capabilities").orElseGet(JsonObject::new);
        for (String set : List.of("bounding", "effective", "permitted", "inheritable", "ambient")) {
            for (String name : Json.strings(sets, set)) {
                if (bit(name) == 0) {
                    unknown.add(name);
                }
            }
        }
        if (!unknown.isEmpty()) {
            warn.accept("ignoring unknown or unavailable capabilities: " + List.copyOf(unknown));
        }
    }

    /** The names of a mask's bits, as a spec has them. */
    public static JsonArray names(long mask) {
        JsonArray names = new JsonArray();
        for (int i = 0; i < NAMES.length; i++) {
            if ((mask & 1L << i) != 0) {
                names.add(PREFIX + NAMES[i]);
            }
        }
        return names;
    }

    /** The bits of names; unknown ones have none. */
    public static long mask(List<String> names) {
        long mask = 0;
        for (String name : names) {
            mask |= bit(name);
        }
        return mask;
    }

    private static long bit(String name) {
        for (int i = 0; i < NAMES.length; i++) {
            if (name.length() == PREFIX.length() + NAMES[i].length()
                    && name.startsWith(PREFIX)
                    && name.endsWith(NAMES[i])) {
                return 1L << i;
            }
        }
        return 0;
    }
}
