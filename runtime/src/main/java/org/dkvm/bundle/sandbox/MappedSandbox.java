// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.options.Options;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.json.Json;

/** What is different in the sandbox of an engine that is root in a user's namespace only. See user_namespaces(7). */
final class MappedSandbox {
    /** Devices can not be made there: runc binds the host's, where it would make them. */
    static final List<String> DEVICES = List.of(
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/dev/random",
            "/dev/urandom",
            "/dev/tty",
            "/dev/net/tun",
            "/dev/kvm",
            SandboxPaths.VHOST_NET);

    private static final String PROC = "/proc";
    private static final String SYS = "/sys";

    private MappedSandbox() {}

    /** Refuses what only the host's root can give. */
    static void check(Options options, List<GuestDevice> devices) throws DkvmException {
        for (GuestDevice device : devices) {
            if (device.isBlock()) {
                throw new DkvmException(
                        "a rootless engine can not give a VM the disk \"" + device.path() + "\"",
                        "use a file as a disk: \"DKVM_DISKS\"; or call the engine as root");
            }
        }
        if (options.sysAdmin()) {
            throw new DkvmException(
                    "a rootless engine can not give a VM \"DKVM_SYS_ADMIN\"",
                    "leave it out, or call the engine as root");
        }
    }

    /** Changes the spec of a sandbox. */
    static void rewrite(JsonObject spec, JsonObject linux) {
        boolean ownNetwork = Json.objects(linux, "namespaces").stream()
                .anyMatch(namespace ->
                        "network".equals(Json.string(namespace, "type").orElse("")));
        JsonArray mounts = new JsonArray();
        for (JsonObject mount : Json.objects(spec, "mounts")) {
            String point = Json.string(mount, "destination").orElse("");
            if (point.equals(PROC)) {
                // Root's group is not that of this root unless it is named.
                List<String> options = new ArrayList<>(Json.strings(mount, "options"));
                options.add("gid=0");
                mount.add("options", Json.arrayOf(options));
            }
            if (point.equals(SYS) && !ownNetwork) {
                // It shows a network that is not the namespace's, so it can not be mounted; nothing there is needed.
                mount = Json.objectOf(
                        "destination",
                        SYS,
                        "type",
                        "tmpfs",
                        "source",
                        "tmpfs",
                        "options",
                        Json.arrayOf(List.of("nosuid", "noexec", "nodev", "ro", "size=4k")));
            }
            mounts.add(mount);
        }
        spec.add("mounts", mounts);
        if (Json.string(linux, "cgroupsPath").orElse("").isEmpty()) {
            // No control group is the user's: a limit that can not be set would fail the start.
            JsonObject resources = new JsonObject();
            resources.add("devices", Json.objectOrNew(linux, "resources").get("devices"));
            linux.add("resources", resources);
        }
    }
}
