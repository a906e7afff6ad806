// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.json.Json;

/**
 * A container's place in a Kubernetes pod, as containerd and CRI-O write it into a spec's annotations. Neither an image nor a pod's own manifest can set these.
 *
 * @param role what the container is there
 * @param id the pod, as the engine knows it; empty where there is none
 */
public record Pod(Role role, String id) {
    /** What a container is in a pod. */
    public enum Role {
        /** Nothing: there is no pod. */
        NONE,
        /** The process that holds the pod's namespaces and does nothing ("pause"). */
        SANDBOX,
        /** One of those that the pod is for. */
        CONTAINER
    }

    private static final Pod NONE = new Pod(Role.NONE, "");

    private static final String HOSTNAME_FILE = "/etc/hostname";

    /** The place that a spec tells. */
    public static Pod of(JsonObject spec) {
        Optional<JsonObject> annotations = Json.object(spec, "annotations");
        if (annotations.isEmpty()) {
            return NONE;
        }
        Pod containerd = of(annotations.get(), "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id");
        return containerd.role == Role.NONE
                ? of(annotations.get(), "io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID")
                : containerd;
    }

    private static Pod of(JsonObject annotations, String type, String id) {
        String pod = Json.string(annotations, id).orElse("");
        return switch (Json.string(annotations, type).orElse("")) {
            case "sandbox" -> new Pod(Role.SANDBOX, pod);
            case "container" -> new Pod(Role.CONTAINER, pod);
            default -> NONE;
        };
    }

    /** Whether it is a container that the pod is for. */
    boolean isContainer() {
        return role == Role.CONTAINER;
    }

    /** Gives the sandbox of a pod's VM namespaces of its own where nothing of the pod's is needed: the guest has both itself. */
    static void detach(JsonObject linux) {
        for (JsonObject namespace : Json.objects(linux, "namespaces")) {
            String type = Json.string(namespace, "type").orElse("");
            if ("ipc".equals(type) || "uts".equals(type)) {
                namespace.remove("path");
            }
        }
    }

    /** The pod's host name, which its containers have from the UTS namespace that they share: the engine mounts it as a file, too. */
    static String hostName(JsonObject spec, HostView host) {
        for (JsonObject mount : Json.objects(spec, "mounts")) {
            if (HOSTNAME_FILE.equals(Json.string(mount, "destination").orElse(""))) {
                return host.line(Json.string(mount, "source").orElse(""));
            }
        }
        return "";
    }
}
