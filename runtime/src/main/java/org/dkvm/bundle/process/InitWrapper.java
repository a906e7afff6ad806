// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.json.Json;

/**
 * The init that an engine puts before the workload for {@code --init}: a program it mounts into the container.
 *
 * @param present whether there is one
 * @param args the workload's own arguments
 * @param mount where the init is mounted; empty when there is none
 */
public record InitWrapper(boolean present, List<String> args, String mount) {
    /** Looks for an init in a process's arguments. */
    public static InitWrapper of(List<String> args, List<JsonObject> mounts) {
        if (args.size() > 1 && isMountedInit(args.getFirst(), mounts)) {
            int first = 1;
            while (first < args.size() && args.get(first).startsWith("-") && !"--".equals(args.get(first))) {
                first++;
            }
            if (first < args.size() && "--".equals(args.get(first))) {
                first++;
            }
            if (first < args.size()) {
                return new InitWrapper(true, List.copyOf(args.subList(first, args.size())), args.getFirst());
            }
        }
        return new InitWrapper(false, args, "");
    }

    /** Whether a program is an init and comes from the host: an image's own tini stays what it is. */
    private static boolean isMountedInit(String program, List<JsonObject> mounts) {
        for (JsonObject mount : mounts) {
            if (program.equals(Json.string(mount, "destination").orElse(""))) {
                String source = Json.string(mount, "source").orElse("");
                return switch (program) {
                    case "/sbin/docker-init", "/dev/init", "/run/podman-init" -> true;
                    default -> source.endsWith("/catatonit");
                };
            }
        }
        return false;
    }
}
