// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/** Refuses what a VM can not be given (yet), by the name the user knows. */
final class SupportedSpec {
    /** Devices that every guest has by itself. */
    private static final Set<String> GUEST_DEVICES = Set.of(
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/dev/random",
            "/dev/urandom",
            "/dev/tty",
            "/dev/console",
            "/dev/ptmx",
            "/dev/fuse",
            "/dev/net/tun",
            "/dev/kvm",
            "/dev/loop-control");

    private SupportedSpec() {}

    /** Checks namespaces and devices. */
    static void check(JsonObject linux, JsonObject process) throws DkvmException {
        checkNamespaces(linux);
        if (!isPrivileged(linux, process)) {
            for (JsonObject device : Json.objects(linux, "devices")) {
                String path = Json.string(device, "path").orElse("");
                if (!GUEST_DEVICES.contains(path)) {
                    throw new DkvmException("device \"" + path + "\" in a VM is not supported yet", "");
                }
            }
        }
    }

    /** Whether the spec is that of {@code --privileged}: every capability that counts, every device, no seccomp. */
    static boolean isPrivileged(JsonObject linux, JsonObject process) throws DkvmException {
        long wanted = CapabilityNames.mask(List.of("CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"));
        var sets = CapabilityNames.of(process);
        if (sets.isEmpty() || (sets.get().bounding() & wanted) != wanted || linux.has("seccomp")) {
            return false;
        }
        for (JsonObject rule : Json.objects(Json.objectOrNew(linux, "resources"), "devices")) {
            if (Json.isTrue(rule, "allow") && isForAll(rule)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isForAll(JsonObject rule) {
        String type = Json.string(rule, "type").orElse("a");
        return ("a".equals(type) || type.isEmpty())
                && Json.number(rule, "major").orElse(-1L) == -1
                && Json.number(rule, "minor").orElse(-1L) == -1;
    }

    private static void checkNamespaces(JsonObject linux) throws DkvmException {
        checkOwn(linux, "mount", "mount");
        checkOwn(linux, "pid", "PID");
        checkOwn(linux, "ipc", "IPC");
        checkOwn(linux, "uts", "UTS");
        if (namespace(linux, "user").isPresent()) {
            throw new DkvmException("a user namespace for a VM is not supported yet", "");
        }
    }

    private static void checkOwn(JsonObject linux, String type, String name) throws DkvmException {
        Optional<JsonObject> namespace = namespace(linux, type);
        if (namespace.isEmpty()) {
            throw new DkvmException("the host's " + name + " namespace for a VM is not supported yet", "");
        }
        if (!Json.string(namespace.get(), "path").orElse("").isEmpty()) {
            throw new DkvmException("another container's " + name + " namespace for a VM is not supported yet", "");
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
