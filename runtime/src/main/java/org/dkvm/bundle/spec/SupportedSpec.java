// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.process.CapabilityNames;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/** Refuses what a VM can not be given (yet), by the name the user knows. */
public final class SupportedSpec {
    private SupportedSpec() {}

    /** Whether the spec is that of {@code --privileged}: every capability that counts, every device, no seccomp. */
    static boolean isPrivileged(JsonObject linux, JsonObject process) {
        if (!hasAllRights(linux, process)) {
            return false;
        }
        for (JsonObject rule : Json.objects(Json.objectOrNew(linux, "resources"), "devices")) {
            if (Json.isTrue(rule, "allow") && isForAll(rule)) {
                return true;
            }
        }
        return false;
    }

    /** The same of a user's engine, which has no group of devices to say anything about. */
    static boolean hasAllRights(JsonObject linux, JsonObject process) {
        long wanted = CapabilityNames.mask(List.of("CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"));
        var sets = CapabilityNames.of(process);
        return sets.isPresent() && (sets.get().bounding() & wanted) == wanted && !linux.has("seccomp");
    }

    private static boolean isForAll(JsonObject rule) {
        String type = Json.string(rule, "type").orElse("a");
        return ("a".equals(type) || type.isEmpty())
                && Json.number(rule, "major").orElse(-1L) == -1
                && Json.number(rule, "minor").orElse(-1L) == -1;
    }

    /** Checks the namespaces. That of control groups may be anybody's: the guest has groups of its own. */
    static void check(JsonObject linux) throws DkvmException {
        checkOwn(linux, "mount", "mount", "");
        checkOwn(linux, "pid", "PID", "a VM has processes of its own: leave --pid out");
        checkOwn(linux, "ipc", "IPC", "a VM has memory of its own: leave --ipc out; --shm-size makes /dev/shm larger");
        if (!hasHostUts(linux)) {
            checkOwn(linux, "uts", "UTS", "leave --uts out, or give the VM a name: --hostname");
        }
        if (namespace(linux, "user").isPresent()) {
            throw new DkvmException(
                    "a user namespace for a VM is not supported yet",
                    "leave --userns out, or give --userns=host where the engine has one for all");
        }
    }

    /** Whether the container is to have the host's name ({@code --uts=host}). */
    public static boolean hasHostUts(JsonObject linux) {
        return namespace(linux, "uts").isEmpty();
    }

    private static void checkOwn(JsonObject linux, String type, String name, String advice) throws DkvmException {
        Optional<JsonObject> namespace = namespace(linux, type);
        if (namespace.isEmpty()) {
            throw new DkvmException("a VM can not be in the host's " + name + " namespace", advice);
        }
        if (!Json.string(namespace.get(), "path").orElse("").isEmpty()) {
            throw new DkvmException("a VM can not be in another container's " + name + " namespace", advice);
        }
    }

    /** The spec's entry for a kind of namespace. */
    static Optional<JsonObject> namespace(JsonObject linux, String type) {
        for (JsonObject namespace : Json.objects(linux, "namespaces")) {
            if (type.equals(Json.string(namespace, "type").orElse(""))) {
                return Optional.of(namespace);
            }
        }
        return Optional.empty();
    }
}
