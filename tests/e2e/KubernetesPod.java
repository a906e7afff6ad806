// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;

/** A pod as a kubelet makes it, by CRI. */
final class KubernetesPod {
    /** A container's, in bytes. */
    static final long MEMORY = 256 << 20;

    /** What CRI calls a namespace that is the pod's, the container's, the node's. */
    static final int OF_ITS_OWN = 0;

    static final int OF_THE_CONTAINER = 1;
    static final int OF_THE_NODE = 2;

    private final Containerd containerd;
    private final String config;
    private final int network;
    private final int processes;
    private final String id;
    private final String uid;
    private final Path logs;
    private String image = Containerd.BUSYBOX;

    KubernetesPod(Containerd containerd, String runtime, int network) throws Exception {
        this(containerd, runtime, network, OF_THE_CONTAINER, 0);
    }

    /**
     * Makes it.
     *
     * @param network whose network it has
     * @param processes whose PID namespace its containers have
     * @param memory what a kubelet says that all its containers may use together; 0: it is older, and does not say
     */
    KubernetesPod(Containerd containerd, String runtime, int network, int processes, long memory) throws Exception {
        this.containerd = containerd;
        this.network = network;
        this.processes = processes;
        uid = UUID.randomUUID().toString();
        logs = containerd.directory().resolve("logs-" + runtime + "-" + uid);
        config = """
                {"metadata":{"name":"pod","uid":"%s","namespace":"default","attempt":0},"hostname":"%s","log_directory":"%s",
                 "linux":{"security_context":{"namespace_options":{"network":%d,"pid":%d}}%s}}""".formatted(
                        uid,
                        // The node's network has the node's name with it.
                        network == OF_THE_NODE ? "" : "the-pod",
                        logs,
                        network,
                        processes,
                        memory == 0 ? "" : ",\"resources\":{\"memory_limit_in_bytes\":" + memory + "}");
        id = containerd
                .cri("RunPodSandbox", "{\"config\":%s,\"runtime_handler\":\"%s\"}".formatted(config, runtime))
                .get("pod_sandbox_id")
                .getAsString();
    }

    /** Makes its containers of another image, which containerd has. */
    KubernetesPod with(String name) {
        image = "docker.io/" + name + ":latest";
        return this;
    }

    /** The directory that a kubelet has for the pod, below its own. */
    Path directory(Path kubelet) throws IOException {
        return Files.createDirectories(kubelet.resolve("pods").resolve(uid));
    }

    /** The pause container's id. */
    String id() {
        return id;
    }

    /** The path of its network namespace on the host. */
    String network() throws IOException {
        Path spec = containerd.directory().resolve("state/io.containerd.runtime.v2.task/k8s.io/" + id + "/config.json");
        for (JsonElement namespace : JsonParser.parseString(Files.readString(spec))
                .getAsJsonObject()
                .getAsJsonObject("linux")
                .getAsJsonArray("namespaces")) {
            if ("network".equals(namespace.getAsJsonObject().get("type").getAsString())) {
                return namespace.getAsJsonObject().get("path").getAsString();
            }
        }
        throw new AssertionError("pod " + id + " has no network namespace");
    }

    String create(String name, String script) throws Exception {
        return create(name, script, Map.of(), MEMORY);
    }

    /**
     * Makes a container that runs a script.
     *
     * @param mounts directories or files of the host, by where the container has them; read-only with ":ro" at the end, with what the node mounts there later with ":slave"
     * @param memory its limit, in bytes
     */
    String create(String name, String script, Map<String, Path> mounts, long memory) throws Exception {
        StringBuilder list = new StringBuilder();
        for (Map.Entry<String, Path> mount : mounts.entrySet()) {
            String[] words = mount.getKey().split(":", -1);
            String option = words.length == 1 ? "" : words[1];
            list.append(list.isEmpty() ? "" : ",")
                    .append("{\"container_path\":\"%s\",\"host_path\":\"%s\"%s}"
                            .formatted(
                                    words[0],
                                    mount.getValue(),
                                    switch (option) {
                                        case "ro" -> ",\"readonly\":1";
                                        case "slave" -> ",\"propagation\":1";
                                        default -> "";
                                    }));
        }
        return containerd
                .cri("CreateContainer", """
                        {"pod_sandbox_id":"%s","sandbox_config":%s,"config":{"metadata":{"name":"%s","attempt":0},"image":{"image":"%s"},
                         "command":["sh","-c","%s"],"log_path":"%3$s.log","mounts":[%s],
                         "linux":{"resources":{"memory_limit_in_bytes":%d},"security_context":{"namespace_options":{"network":%d,"pid":%d},
                          "masked_paths":["/proc/kcore","/proc/keys"],"readonly_paths":["/proc/sys","/proc/sysrq-trigger"]}}}}""".formatted(
                                id, config, name, image, script, list, memory, network, processes))
                .get("container_id")
                .getAsString();
    }

    /** Makes a container and starts it. */
    String start(String name, String script, Map<String, Path> mounts) throws Exception {
        String container = create(name, script, mounts, MEMORY);
        containerd.cri("StartContainer", "{\"container_id\":\"%s\"}".formatted(container));
        return container;
    }

    Outcome ask(String method, String container) throws Exception {
        return containerd.tryCri(method, "{\"container_id\":\"%s\"}".formatted(container));
    }

    /** Runs a shell command in a container: its output, errors, and code. */
    String exec(String container, String script) throws Exception {
        JsonObject answer = containerd.cri(
                "ExecSync",
                "{\"container_id\":\"%s\",\"cmd\":[\"sh\",\"-c\",\"%s\"],\"timeout\":%d}"
                        .formatted(container, script, Settings.DEADLINE.toSeconds()));
        return text(answer, "stdout") + text(answer, "stderr") + "="
                + (answer.has("exit_code") ? answer.get("exit_code").getAsInt() : 0);
    }

    private static String text(JsonObject answer, String name) {
        return answer.has(name) ? answer.get(name).getAsString() : "";
    }

    void stop(String container, int seconds) throws Exception {
        containerd.cri("StopContainer", "{\"container_id\":\"%s\",\"timeout\":%d}".formatted(container, seconds));
    }

    /** Its state and exit code, as CRI numbers them. */
    String status(String container) throws Exception {
        JsonObject status = containerd
                .cri("ContainerStatus", "{\"container_id\":\"%s\"}".formatted(container))
                .getAsJsonObject("status");
        return status.get("state") + " " + (status.has("exit_code") ? status.get("exit_code") : "0")
                + (status.has("reason") ? " " + status.get("reason").getAsString() : "");
    }

    /** Whether it has ended. */
    boolean hasEnded(String container) throws Exception {
        return status(container).startsWith("2 ");
    }

    String address() throws Exception {
        return containerd
                .cri("PodSandboxStatus", "{\"pod_sandbox_id\":\"%s\"}".formatted(id))
                .getAsJsonObject("status")
                .getAsJsonObject("network")
                .get("ip")
                .getAsString();
    }

    String log(String name) throws IOException {
        Path file = logs.resolve(name + ".log");
        return Files.exists(file) ? Files.readString(file) : "";
    }

    /** What a container has said, without the times. */
    String said(String name) throws IOException {
        return log(name).replaceAll("(?m)^\\S+ ", "");
    }

    /** Stops it with all its containers; it is still to be closed. */
    void end() throws Exception {
        containerd.cri("StopPodSandbox", "{\"pod_sandbox_id\":\"%s\"}".formatted(id));
    }

    void close() throws Exception {
        end();
        containerd.cri("RemovePodSandbox", "{\"pod_sandbox_id\":\"%s\"}".formatted(id));
    }
}
