// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.SandboxPaths;
import org.dkvm.json.Json;
import org.dkvm.linux.RootedTree;

/** What of the host a container may write to: volumes, bind mounts. */
public final class WritablePlaces {
    /** Files and filesystems that engines make for a container, or for those that share a network. Disks lock their files, and so are none of these either. */
    private static final Set<String> ENGINES = Set.of(
            "/etc/hostname",
            "/etc/hosts",
            "/etc/resolv.conf",
            "/run/.containerenv",
            "/dev/shm",
            "/dev/termination-log");

    private static final String CGROUPS = "/sys/fs/cgroup";

    private WritablePlaces() {}

    /** Their paths on the host, without links. */
    public static List<String> of(JsonObject spec, Path bundle, HostView host) {
        List<String> places = new ArrayList<>();
        for (JsonObject mount : Json.objects(spec, "mounts")) {
            List<String> options = Json.strings(mount, "options");
            String destination =
                    MountPlan.clean(Json.string(mount, "destination").orElse(""));
            String source =
                    bundle.resolve(Json.string(mount, "source").orElse("")).toString();
            boolean bind = options.contains("bind")
                    || options.contains("rbind")
                    || "bind".equals(Json.string(mount, "type").orElse(""));
            boolean writable = (MountOptions.parse(options).flags() & MountOptions.RDONLY) == 0;
            boolean engines = ENGINES.contains(destination)
                    || RootedTree.isAtOrBelow(destination, SandboxPaths.DISKS)
                    || RootedTree.isAtOrBelow(source, CGROUPS);
            if (bind && writable && !engines && isData(host.kindOf(source))) {
                places.add(real(source));
            }
        }
        return places;
    }

    private static boolean isData(HostView.SourceKind kind) {
        return kind == HostView.SourceKind.DIRECTORY || kind == HostView.SourceKind.FILE;
    }

    private static String real(String path) {
        try {
            return Path.of(path).toRealPath().toString();
        } catch (IOException e) {
            return Path.of(path).normalize().toString();
        }
    }
}
