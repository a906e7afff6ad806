// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.json.Json;

/** Resource limits between their names in a spec and their numbers on x86-64; see setrlimit(2). */
public final class RlimitNames {
    private static final String[] NAMES = {
        "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
        "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"
    };

    private RlimitNames() {}

    /** The limits a process of a spec names and, for the others, the ones it would inherit. */
    public static List<ResourceLimit> of(JsonObject process, List<ResourceLimit> inherited) throws DkvmException {
        List<ResourceLimit> limits = new ArrayList<>();
        for (JsonObject rlimit : Json.objects(process, "rlimits")) {
            limits.add(parse(rlimit));
        }
        int named = limits.size();
        for (ResourceLimit candidate : inherited) {
            boolean given = false;
            for (int i = 0; i < named; i++) {
                given |= limits.get(i).resource() == candidate.resource();
            }
            if (!given) {
                limits.add(candidate);
            }
        }
        return limits;
    }

    private static ResourceLimit parse(JsonObject rlimit) throws DkvmException {
        String type = Json.string(rlimit, "type").orElse("");
        for (int i = 0; i < NAMES.length; i++) {
            if (type.equals("RLIMIT_" + NAMES[i])) {
                return new ResourceLimit(i, value(rlimit, "soft"), value(rlimit, "hard"));
            }
        }
        throw new DkvmException("resource limit \"" + type + "\" is not known", "");
    }

    /** The bits of a u64: RLIM_INFINITY, all ones, comes out as -1. */
    private static long value(JsonObject rlimit, String name) throws DkvmException {
        if (rlimit.get(name) instanceof JsonPrimitive primitive && primitive.isNumber()) {
            try {
                return Long.parseUnsignedLong(primitive.getAsString());
            } catch (NumberFormatException e) {
                throw new DkvmException("resource limit " + primitive + " is not a whole number of 64 bits", "", e);
            }
        }
        throw new DkvmException("a resource limit has no valid \"" + name + "\"", "");
    }
}
