// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;

/** Tells from a spec whose network namespace its container gets (OCI runtime spec, config-linux.md, "namespaces"). */
final class NetworkNamespace {
    /** Where engines name the namespace of a process that runs: another container's. */
    private static final String OF_PROCESS = "/proc/";

    private NetworkNamespace() {}

    /**
     * The mode that leaves others alone. Without an entry it is the host's namespace; without a path a new one. A path says little: Podman and Kubernetes make a namespace
     * before its only container, or its first; a user's Podman has one end of it in a program, slirp4netns or pasta, and connects to published ports from within. What counts then is whether anybody lives there. In a pod there does: the process that holds the namespace, by which it is named, and which has no use for it.
     */
    static NetworkMode mode(JsonObject linux, HostView host, Pod pod) {
        Optional<JsonObject> network = SupportedSpec.namespace(linux, "network");
        if (network.isEmpty()) {
            return NetworkMode.SHARED;
        }
        String path = Json.string(network.get(), "path").orElse("");
        boolean ofProcess = path.startsWith(OF_PROCESS);
        boolean shared = !path.isEmpty()
                && (host.isUsers()
                        || (ofProcess && !pod.isContainer())
                        || host.isHostNetwork(path)
                        || host.isInhabited(path, process(path)));
        return shared ? NetworkMode.SHARED : NetworkMode.OWN;
    }

    /** The number in {@code /proc/<number>/ns/net}; empty in another path. */
    static String process(String path) {
        if (!path.startsWith(OF_PROCESS)) {
            return "";
        }
        int end = path.indexOf('/', OF_PROCESS.length());
        return end < 0 ? "" : path.substring(OF_PROCESS.length(), end);
    }
}
