// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/**
 * A container's place in a pod, as containerd and CRI-O write it into a spec's annotations. There neither an image nor a pod's own manifest can set these. Podman writes
 * them for a pod's containers, too, and before them whatever annotations an image has; for the infra container it writes none.
 *
 * @param role what the container is there
 * @param id the pod's pause container, as the engine knows it; empty where there is none, and for one of Podman's
 * @param podmans whether Podman tells, or an image that it runs
 */
public record Pod(Role role, String id, boolean podmans) {
    /** What a container is in a pod. */
    public enum Role {
        /** Nothing: there is no pod. */
        NONE,
        /** The process that holds the pod's namespaces and does nothing ("pause"). */
        SANDBOX,
        /** One of those that the pod is for. */
        CONTAINER
    }

    private static final Pod NONE = new Pod(Role.NONE, "", false);

    private static final String CRIO_TYPE = "io.kubernetes.cri-o.ContainerType";

    /** Podman writes it, too, over what an image has there; that it is a pod's container, Podman 5 does not write. */
    private static final String CRIO_POD = "io.kubernetes.cri-o.SandboxID";

    private static final String OPTION = "dkvm.";

    private static final String HOSTNAME_FILE = "/etc/hostname";

    /** Who writes a container's files: Podman and CRI-O tell. An image can change the value and not take the key away. */
    private static final String MANAGER = "io.container.manager";

    /** What Podman runs to hold a pod's namespaces; its annotations do not tell. */
    private static final List<String> PODMANS_HOLDER = List.of("/catatonit", "-P");

    /** The control group of a container in a pod's: by cgroupfs, and by systemd. */
    private static final Pattern PODS_GROUP =
            Pattern.compile("/[0-9a-f]{64}/libpod-[0-9a-f]{64}$|(^|-)libpod_pod_[0-9a-f]{64}\\.slice:");

    /**
     * The place that a spec tells. That a container holds a pod is believed: it is a VM like any other. What Podman runs may be told by an image, so that its word is not taken for more than that: that it is a pod's container is believed of
     * one that joins the namespaces of the pod's VM (PodNamespaces), or else as far as {@link #withoutVm} says.
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
        if (told.role == Role.SANDBOX) {
            throw refusal();
        }
        String pod = Json.string(annotations.get(), CRIO_POD).orElse("");
        if (!pod.isEmpty()) {
            return new Pod(Role.CONTAINER, pod, true);
        }
        if (!isPodmansHolder(spec)) {
            return NONE;
        }
        if (host.isUsers()) {
            throw refusal();
        }
        return new Pod(Role.SANDBOX, "", true);
    }

    /** CRI-O tells it in words that an image can tell Podman; and a user may not mount what a pod's containers bring. */
    private static DkvmException refusal() {
        return new DkvmException(
                "what holds a pod's namespaces can not be a VM",
                "make the pod with runc, \"podman --runtime runc pod create ...\", and its container with DKVM");
    }

    /**
     * The same where the pod's pause container is no VM. An image that Podman runs would, with the network of somebody else's container, be given all of it: so its word is believed only where the namespace is held by what Podman holds pods
     * with.
     */
    public Pod withoutVm(JsonObject spec, HostView host) {
        return podmans && !isHeldByPodman(spec, host) ? NONE : this;
    }

    private static boolean isHeldByPodman(JsonObject spec, HostView host) {
        String process = PodNamespaces.processOf(spec, "network");
        String holder = process.isEmpty() ? "" : host.line("/proc/" + process + "/cmdline");
        return holder.equals(String.join("\0", PODMANS_HOLDER) + "\0");
    }

    /** Podman's own, or what an infra image has: in the pod's control group, and of no pod that has a name, as each other container there is. */
    private static boolean isPodmansHolder(JsonObject spec) {
        Optional<JsonObject> process = Json.object(spec, "process");
        return (process.isPresent() && PODMANS_HOLDER.equals(Json.strings(process.get(), "args")))
                || isInPodmansGroup(spec);
    }

    /** Whether its control group is in one that Podman has made for a pod: no image has a say in that, and any other group's limits are not a pod's. */
    public static boolean isInPodmansGroup(JsonObject spec) {
        return PODS_GROUP
                .matcher(Json.string(Json.objectOrNew(spec, "linux"), "cgroupsPath")
                        .orElse(""))
                .find();
    }

    private static Pod told(JsonObject annotations) {
        Pod containerd = of(annotations, "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id");
        return containerd.role == Role.NONE ? of(annotations, CRIO_TYPE, CRIO_POD) : containerd;
    }

    private static Pod of(JsonObject annotations, String type, String id) {
        String pod = Json.string(annotations, id).orElse("");
        return switch (Json.string(annotations, type).orElse("")) {
            case "sandbox" -> new Pod(Role.SANDBOX, pod, false);
            case "container" -> new Pod(Role.CONTAINER, pod, false);
            default -> NONE;
        };
    }

    /** Whether it is a container that the pod is for. */
    boolean isContainer() {
        return role == Role.CONTAINER;
    }

    /** The path of the network namespace that a spec joins; empty where it gets a new one, or the host's. */
    public static String network(JsonObject spec) {
        return SupportedSpec.namespace(Json.objectOrNew(spec, "linux"), "network")
                .flatMap(namespace -> Json.string(namespace, "path"))
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

    /** What Kubernetes calls the pod of a container; empty where the engine does not tell: of Podman's an image may. */
    public static String uid(JsonObject spec) {
        return Json.object(spec, "annotations")
                .filter(annotations -> !annotations.has(MANAGER))
                .flatMap(annotations -> Json.string(annotations, "io.kubernetes.cri.sandbox-uid"))
                .orElse("");
    }

    /** The annotation that stands for an option of the environment. */
    public static String annotation(String option) {
        return option.replace("DKVM_", OPTION).toLowerCase(Locale.ROOT).replace('_', '-');
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
