// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/**
 * Which namespaces of a pod a container joins: those of the pause container's first process. An annotation may be an image's word; the namespaces are the engine's.
 */
public final class PodNamespaces {
    private static final List<String> JOINABLE = List.of("network", "ipc", "uts", "pid");

    private PodNamespaces() {}

    /** The process whose namespace of that kind a spec joins; empty where it names none. */
    static String processOf(JsonObject spec, String type) {
        return path(spec, type).map(NetworkNamespace::process).orElse("");
    }

    private static Optional<String> path(JsonObject spec, String type) {
        return SupportedSpec.namespace(Json.objectOrNew(spec, "linux"), type)
                .flatMap(namespace -> Json.string(namespace, "path"));
    }

    /** Whether it joins the pod as containerd's and a kubelet's containers do, which have all of these namespaces. */
    public static boolean isJoined(JsonObject spec, long pause) {
        return joins(spec, "ipc", pause);
    }

    /** Whether it joins any: what Podman's containers share is for its user to say ({@code pod create --share}). */
    public static boolean isAnyJoined(JsonObject spec, long pause) {
        return JOINABLE.stream().anyMatch(type -> joins(spec, type, pause));
    }

    private static boolean joins(JsonObject spec, String type, long pause) {
        return processOf(spec, type).equals(String.valueOf(pause));
    }

    /** Whether its processes are the pod's, too ({@code shareProcessNamespace}). */
    public static boolean hasProcessesOf(JsonObject spec, long pause) {
        return joins(spec, "pid", pause);
    }

    /** Whether it has a namespace of its own of that kind. */
    public static boolean hasOwn(JsonObject spec, String type) {
        return SupportedSpec.namespace(Json.objectOrNew(spec, "linux"), type).isPresent()
                && path(spec, type).orElse("").isEmpty();
    }

    /** Whether it names no namespace of that kind: it is to have the host's. */
    public static boolean hasHosts(JsonObject spec, String type) {
        return SupportedSpec.namespace(Json.objectOrNew(spec, "linux"), type).isEmpty();
    }

    /**
     * Refuses what is neither a pod's nor its own, where the VM could give it only one of both.
     *
     * @param hostsNetwork whether the pod has the host's network
     */
    public static void check(JsonObject spec, long pause, boolean hostsNetwork) throws DkvmException {
        boolean network = hasHosts(spec, "network") ? hostsNetwork : joins(spec, "network", pause);
        if (!network) {
            throw new DkvmException(
                    "a container of a pod that does not have the pod's network is not supported: the pod is one VM",
                    "let the pod share its network, as without --share, or run the container outside of the pod");
        }
        checkKind(spec, pause, "ipc", "IPC", "leave --ipc out");
        checkKind(spec, pause, "uts", "UTS", "leave --uts out");
    }

    private static void checkKind(JsonObject spec, long pause, String type, String name, String advice)
            throws DkvmException {
        if (!joins(spec, type, pause) && !hasOwn(spec, type)) {
            throw new DkvmException(
                    "a container of a pod's VM can be neither in the host's " + name
                            + " namespace nor in another container's",
                    advice);
        }
    }

    /** A spec without the PID namespace of the pod, if it joins that: in the guest, too, it is the pause container's. */
    public static JsonObject withoutProcessesOf(JsonObject spec, long pause) {
        JsonObject copy = spec.deepCopy();
        if (hasProcessesOf(copy, pause)) {
            SupportedSpec.namespace(Json.objectOrNew(copy, "linux"), "pid").ifPresent(pid -> pid.remove("path"));
        }
        return copy;
    }
}
