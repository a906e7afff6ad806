// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/**
 * A container's place in a Kubernetes pod, as containerd and CRI-O write it into a spec's annotations. There neither an image nor a pod's own manifest can set these. Podman writes
 * them for a pod's containers, too, and before them whatever annotations an image has.
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

    private static final String CRIO_TYPE = "io.kubernetes.cri-o.ContainerType";
    private static final String CRIO_POD = "io.kubernetes.cri-o.SandboxID";

    private static final String OPTION = "dkvm.";

    private static final String HOSTNAME_FILE = "/etc/hostname";

    /** Who writes a container's files: Podman and CRI-O tell. An image can change the value and not take the key away. */
    private static final String MANAGER = "io.container.manager";

    /** What Podman runs to hold a pod's namespaces; its annotations do not tell. */
    private static final List<String> PODMANS_HOLDER = List.of("/catatonit", "-P");

    /**
     * The place that a spec tells, as far as it can be believed. That a container holds a pod, and needs no VM, is believed where no image can say so: of containerd. Elsewhere such a
     * container is refused; as a VM it would take the pod's network from the pod's container. An image that Podman runs can call itself a pod's container, too, and would, with the network
     * of somebody else's container, be given all of it: so it is believed only where the namespace is held by what Podman holds pods with.
     */
    public static Pod of(JsonObject spec, HostView host) throws DkvmException {
        Optional<JsonObject> annotations = Json.object(spec, "annotations");
        if (annotations.isEmpty()) {
            return NONE;
        }
        Pod told = told(annotations.get());
        if (!annotations.get().has(MANAGER)) {
            return told;
        }
        if (told.role == Role.SANDBOX || isPodmansHolder(spec)) {
            throw new DkvmException(
                    "what holds a pod's namespaces can not be a VM",
                    "make the pod with runc, \"podman --runtime runc pod create ...\", and its container with DKVM");
        }
        Pod container = told.role == Role.CONTAINER ? told : ofPodman5(annotations.get());
        return container.role == Role.CONTAINER && !isHeldByPodman(spec, host) ? NONE : container;
    }

    private static boolean isHeldByPodman(JsonObject spec, HostView host) {
        String process = NetworkNamespace.process(network(spec));
        String holder = process.isEmpty() ? "" : host.line("/proc/" + process + "/cmdline");
        return holder.equals(String.join("\0", PODMANS_HOLDER) + "\0");
    }

    private static boolean isPodmansHolder(JsonObject spec) {
        Optional<JsonObject> process = Json.object(spec, "process");
        return process.isPresent() && PODMANS_HOLDER.equals(Json.strings(process.get(), "args"));
    }

    private static Pod told(JsonObject annotations) {
        Pod containerd = of(annotations, "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id");
        return containerd.role == Role.NONE ? of(annotations, CRIO_TYPE, CRIO_POD) : containerd;
    }

    /** Podman 5 writes of a pod's container which pod that is, and not that it is one. */
    private static Pod ofPodman5(JsonObject annotations) {
        String pod = Json.string(annotations, CRIO_POD).orElse("");
        return pod.isEmpty() ? NONE : new Pod(Role.CONTAINER, pod);
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

    /**
     * Whether a spec joins the namespaces of a pod whose pause container has that first process. An annotation may be an image's word; the namespaces are the engine's.
     */
    public static boolean isJoined(JsonObject spec, long pause) {
        return processOf(spec, "ipc").equals(String.valueOf(pause));
    }

    /** The path of the network namespace that a spec joins; empty where it gets a new one, or the host's. */
    public static String network(JsonObject spec) {
        return SupportedSpec.namespace(Json.objectOrNew(spec, "linux"), "network")
                .flatMap(namespace -> Json.string(namespace, "path"))
                .orElse("");
    }

    /** Whether its processes are the pod's, too ({@code shareProcessNamespace}). */
    public static boolean hasProcessesOf(JsonObject spec, long pause) {
        return processOf(spec, "pid").equals(String.valueOf(pause));
    }

    private static String processOf(JsonObject spec, String type) {
        return SupportedSpec.namespace(Json.objectOrNew(spec, "linux"), type)
                .flatMap(namespace -> Json.string(namespace, "path"))
                .map(NetworkNamespace::process)
                .orElse("");
    }

    /** The options of a pod's VM, in its annotations: {@code dkvm.kernel} stands for {@code DKVM_KERNEL}. */
    public static List<String> options(JsonObject spec) {
        List<String> options = new ArrayList<>();
        JsonObject annotations = Json.object(spec, "annotations").orElseGet(JsonObject::new);
        for (String name : annotations.keySet()) {
            if (name.startsWith(OPTION)) {
                options.add("DKVM_"
                        + name.substring(OPTION.length())
                                .toUpperCase(Locale.ROOT)
                                .replace('-', '_')
                        + "="
                        + Json.string(annotations, name).orElse(""));
            }
        }
        return options;
    }

    /** What Kubernetes calls the pod of a container; empty where the engine does not tell. */
    public static String uid(JsonObject spec) {
        return Json.object(spec, "annotations")
                .flatMap(annotations -> Json.string(annotations, "io.kubernetes.cri.sandbox-uid"))
                .orElse("");
    }

    /** The annotation that stands for an option of the environment. */
    public static String annotation(String option) {
        return option.replace("DKVM_", OPTION).toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A spec without the PID namespace of the pod, if it joins that: in the guest, too, it is the pause container's. */
    public static JsonObject withoutProcessesOf(JsonObject spec, long pause) {
        JsonObject copy = spec.deepCopy();
        if (hasProcessesOf(copy, pause)) {
            SupportedSpec.namespace(Json.objectOrNew(copy, "linux"), "pid").ifPresent(pid -> pid.remove("path"));
        }
        return copy;
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
